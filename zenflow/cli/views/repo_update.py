"""What an update of a repository changes, costs and loses: for people, for a pull request, for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from zenflow.app.sharing.update import RecipeUpdate, RepositoryUpdate
from zenflow.cli.terminal.style import Style
from zenflow.cli.terminal.table import Column, table
from zenflow.cli.terminal.text_width import wrap
from zenflow.cli.terminal.units import plural
from zenflow.cli.views.plan_markdown import markdown_table
from zenflow.cli.views.repositories import COMMIT_SHOWN
from zenflow.credits import ZERO, Credits, Estimate, as_number, as_numbers, as_text, in_words
from zenflow.plan.output.diff import difference_document, percent_of
from zenflow.recipe.changes import RecipeChange

_COST = (
    Column("credits", least=7),
    Column("low", right=True),
    Column("expected", right=True),
    Column("worst", right=True),
)
_HEAD = ("credits", "low", "expected", "worst")
_LOST_SHOWN = 6
_SECTIONS = (("input", "inputs"), ("output", "outputs"), ("step", "steps"), ("policy", "policy"), ("budget", "budget"))


def draw_updates(updates: Sequence[RepositoryUpdate], style: Style, width: int) -> str:
    """Print repository by repository, recipe by recipe."""
    if not updates:
        return "No repositories: `zenflow repo add NAME URL --rev TAG` adds one."
    blocks = ["\n".join(_repository(one, style, width)) for one in updates]
    return "\n\n".join(blocks)


def _repository(one: RepositoryUpdate, style: Style, width: int) -> list[str]:
    lines = wrap(style.strong(_title(one)), width, "  ", "")
    if one.warning:
        lines += wrap(one.warning, width, "  ", style.warn("! "))
    for recipe in one.recipes:
        lines += ["", *_recipe(recipe, style, width)]
    return lines


def _title(one: RepositoryUpdate) -> str:
    before, now = one.pinned.before, one.pinned.now
    if before is None or not one.is_newer:
        return f"{one.name} {now.rev} · commit {now.commit[:COMMIT_SHOWN]} · nothing newer"
    commits = f"commit {before.commit[:COMMIT_SHOWN]} → {now.commit[:COMMIT_SHOWN]}"
    return f"{one.name} {before.rev} → {now.rev} · {commits}"


def _recipe(one: RecipeUpdate, style: Style, width: int) -> list[str]:
    lines = [style.strong(one.word) + _inputs_from(one)]
    if one.problem and not one.changes:
        return [*lines, *wrap(one.problem, width, "    ", style.bad("  ! "))]
    if one.is_same:
        return [*lines, "  No change."]
    for what, title in _SECTIONS:
        changes = [change for change in one.changes if change.what == what]
        for number, change in enumerate(changes):
            opening = f"  {title if number == 0 else '':<8} "
            lines += wrap(_marked(change, style), width, " " * 13, opening)
    if one.problem:
        lines += wrap(f"no price: {one.problem}", width, "    ", style.warn("  ! "))
    if one.cost is not None:
        rows = _cost_rows(one)
        lines += table(_COST, rows, width, style)
    lines += _lost(one, style, width)
    return lines


def _inputs_from(one: RecipeUpdate) -> str:
    return f" · inputs of run {one.inputs_from}" if one.inputs_from else " · inputs at their defaults"


def _marked(change: RecipeChange, style: Style) -> str:
    paint = {"+": style.good, "-": style.bad, "~": style.warn}[change.mark]
    return paint(change.mark) + str(change)[1:]


def _cost_rows(one: RecipeUpdate) -> list[list[str]]:
    assert one.cost is not None
    before, after = one.cost.before, one.cost.after
    rows = [["before", *_amounts(before.credits)], ["after", *_amounts(after.credits)]]
    change = [_signed(getattr(after.credits, word) - getattr(before.credits, word)) for word in _HEAD[1:]]
    rows.append(["change", *change])
    percent = [_percent(getattr(before.credits, word), getattr(after.credits, word)) for word in _HEAD[1:]]
    return [*rows, ["", *percent]] if any(percent) else rows


def _amounts(estimate: Estimate) -> list[str]:
    return [as_text(estimate.low), as_text(estimate.expected), as_text(estimate.worst)]


def _signed(amount: Credits) -> str:
    return "0" if amount == 0 else f"{'+' if amount > 0 else ''}{as_text(amount)}"


def _percent(before: Credits, after: Credits) -> str:
    percent = percent_of(before, after)
    return "" if not percent else f"{'+' if percent > 0 else ''}{percent.normalize():f} %"


def _lost(one: RecipeUpdate, style: Style, width: int) -> list[str]:
    if not one.lost:
        return []
    total = sum((lost.credits for lost in one.lost), ZERO)
    names = ", ".join(lost.instance for lost in one.lost[:_LOST_SHOWN])
    more = f" and {len(one.lost) - _LOST_SHOWN} more" if len(one.lost) > _LOST_SHOWN else ""
    said = f"{plural(len(one.lost), 'paid result')} could not be reused afterwards ({in_words(total)}): {names}{more}"
    return wrap(said, width, "    ", style.warn("  ! "))


# --- for a pull request, for programs -------------------------------------------------------------------------------


def updates_markdown(updates: Sequence[RepositoryUpdate]) -> str:
    """Return the same for a pull request."""
    lines: list[str] = []
    for one in updates:
        lines += [f"### {_title(one)}", ""]
        lines += [f"> {one.warning}", ""] if one.warning else []
        for recipe in one.recipes:
            lines += [*_recipe_markdown(recipe), ""]
    return "\n".join(lines).rstrip()


def _recipe_markdown(one: RecipeUpdate) -> list[str]:
    lines = [f"**`{one.word}`**{_inputs_from(one)}", ""]
    if one.is_same:
        return [*lines, "No change."]
    lines += [f"- {change.what}: `{str(change).replace('`', chr(39))}`" for change in one.changes]
    lines += [f"- no price: {one.problem}"] if one.problem else []
    if one.cost is not None:
        lines += ["", *markdown_table(_HEAD, _cost_rows(one), [], right_from=1)]
    if one.lost:
        total = sum((lost.credits for lost in one.lost), ZERO)
        said = f"{plural(len(one.lost), 'paid result')} could not be reused afterwards ({in_words(total)})."
        lines += ["", said]
    return lines


def updates_document(updates: Sequence[RepositoryUpdate], *, taken: bool) -> dict[str, Any]:
    """Return the same as JSON."""
    return {
        "taken": taken,
        "repositories": [
            {
                "name": one.name,
                "url": one.pinned.now.url,
                "before": None if one.pinned.before is None else _pin(one.pinned.before),
                "after": _pin(one.pinned.now),
                "is_newer": one.is_newer,
                "newer_tags": list(one.newer),
                "warning": one.warning or None,
                "recipes": [_recipe_document(recipe) for recipe in one.recipes],
            }
            for one in updates
        ],
    }


def _pin(locked: Any) -> dict[str, str]:
    return {"rev": locked.rev, "commit": locked.commit}


def _recipe_document(one: RecipeUpdate) -> dict[str, Any]:
    cost = None
    if one.cost is not None:
        whole = difference_document(one.cost)
        cost = {
            "before": as_numbers(one.cost.before.credits),
            "after": as_numbers(one.cost.after.credits),
            "change": whole["change"],
            "steps": whole["steps"],
        }
    return {
        "recipe": one.word,
        "inputs_of_run": one.inputs_from or None,
        "versions": list(one.versions),
        "changes": [asdict(change) for change in one.changes],
        "credits": cost,
        "lost": [{"run": o.run_id, "instance": o.instance, "credits": as_number(o.credits)} for o in one.lost],
        "problem": one.problem or None,
    }
