"""Results of earlier runs instead of calls: as the plan decided it, for the very request that the plan saw.

The decisions are journaled with the run, so a resume keeps to them. What was to be kept and no longer can be is held, and a
person is told: nothing is paid for that the plan showed as kept. docs/reuse.md explains it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zenflow.catalog.check import with_default_model
from zenflow.engine.context import Context
from zenflow.engine.model.instances import Instance, StopReason
from zenflow.journal.base import Finished
from zenflow.plan.fingerprint import fingerprint_of

OPTION = "reuse"
_HINT = "Plan it anew: `zenflow run RECIPE --reuse RUN` takes what there still is, and shows what the rest costs."


def decision(fingerprint: str, run_id: str, instance: str) -> dict[str, str]:
    """One decision as it is kept in the run's options, by address."""
    return {"fingerprint": fingerprint, "run": run_id, "instance": instance}


def kept_results(found: Finished) -> Mapping[str, Any]:
    """The results as whoever reads them now sees them: nothing was paid for them in this run."""
    return {**found.results, "credits": 0} if "credits" in found.results else found.results


class Reuser:
    """Settles instances with results that there are."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def take(self, instance: Instance, params: Mapping[str, Any]) -> bool:
        """True when the instance needs no call: it has a result now, or is held because it should have had one."""
        decided = self._context.recorder.state.options.get(OPTION, {}).get(instance.address)
        if not decided:
            return self._take_description(instance, params)
        fingerprint = self._fingerprint(instance, params)
        found = self._find(fingerprint, decided) if fingerprint == decided.get("fingerprint") else None
        if found is not None:
            self._settle(instance, found)
            return True
        if instance.step.spec.kind != "tool":
            return False  # free: made new
        why = "cannot be found any more" if fingerprint == decided.get("fingerprint") else "was of another request"
        text = f"the result of run {decided.get('run')} that the plan kept {why}"
        self._context.pause(instance, StopReason("ZF672", text, _HINT))
        return True

    def _take_description(self, instance: Instance, params: Mapping[str, Any]) -> bool:
        """What an asset shows does not change: asked once per asset, in whichever run (`reuse`, language page)."""
        spec = instance.step.spec
        if spec.uses != "describe" or spec.kind != "action" or spec.reuse is False or params.get("force_refresh"):
            return False
        found = self._rows(self._fingerprint(instance, params))
        if found:
            self._settle(instance, found[0])
        return bool(found)

    def _find(self, fingerprint: str, decided: Mapping[str, str]) -> Finished | None:
        wanted = (decided.get("run"), decided.get("instance"))
        return next((row for row in self._rows(fingerprint) if (row.run_id, row.instance) == wanted), None)

    def _rows(self, fingerprint: str) -> tuple[Finished, ...]:
        started = self._context.recorder.state.started
        if started is None:
            return ()
        return tuple(self._context.parts.journal.finished(started.server, started.account_id, fingerprint))

    def _fingerprint(self, instance: Instance, params: Mapping[str, Any]) -> str:
        tool = self._context.tool(instance) if instance.step.spec.kind == "tool" else None
        sent = params if tool is None else with_default_model(tool, params)
        return fingerprint_of(instance.step.spec.uses, sent, self._context.recorder.state.contents)

    def _settle(self, instance: Instance, found: Finished) -> None:
        origin = {"run_id": found.run_id, "instance": found.instance, "credits": str(found.credits)}
        self._context.produce(instance, kept_results(found), fingerprint=found.fingerprint, reused=origin)
