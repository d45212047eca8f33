"""What is assumed of a live server, told once before the first paid run there."""

from __future__ import annotations

from collections.abc import Callable

from zenflow.app.config.settings import Settings
from zenflow.app.connection import wiring
from zenflow.app.connection.probe_results import mark_told, must_be_told
from zenflow.artifacts.base import ArtifactError
from zenflow.cli.terminal.console import Console
from zenflow.clock import as_iso
from zenflow.plan.model import Plan


def showing_assumptions(console: Console, settings: Settings) -> Callable[[Plan], None]:
    """Tells them when something is to be paid and this server's were neither told nor measured."""

    def tell(plan: Plan) -> None:
        due = plan.credits.worst > 0 or bool(plan.unpriced)
        if due and must_be_told(settings.state_dir, plan.server):
            from zenflow.cli.views.doctor import draw_assumptions

            console.info(draw_assumptions(plan.server, console.message_style, console.width) + "\n")
            try:
                mark_told(settings.state_dir, plan.server, as_iso(wiring.clock().now()))
            except ArtifactError:  # then they are told again next time
                pass

    return tell
