"""What the cheapest plan changes in a recipe: step by step what is saved and lost, and how a person keeps it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zenflow.app.planning.cheapest import Cheapest, Keep, Switch
from zenflow.app.planning.compare import Comparison, ModelOption
from zenflow.cli.terminal.headings import relative_path
from zenflow.cli.terminal.style import Style
from zenflow.cli.terminal.text_width import wrap
from zenflow.credits import as_number, as_numbers, as_text, in_words

CHANGED = "Not as the recipe stands: with the cheapest models and resolutions that may be used."


def draw_cheapest(found: Cheapest, comparison: Comparison | None, style: Style, width: int) -> str:
    """Below the plan: one paragraph per step, then how to keep it all."""
    lines: list[str] = [""]
    if not found.switches:
        lines += wrap("The cheapest models and resolutions that may be used are used already.", width)
    else:
        lines += wrap(f"{style.warn('Cheaper:')} {_sum(found)}", width)
        for switch in found.switches:
            lines += _switch(switch, style, width)
    for path, why in () if comparison is None else comparison.why_not:
        lines += wrap(f"{path}: {why}", width, "    ", "  · ")
    if found.switches:
        lines += ["", *_how_to_keep(found, width)]
    return "\n".join(lines)


def _sum(found: Cheapest) -> str:
    now, before = found.plan.credits, found.before
    saves = in_words(before.expected - now.expected)
    return (
        f"{as_text(now.expected)} instead of {as_text(before.expected)} credits are expected, {saves} less; "
        f"at worst {as_text(now.worst)} instead of {as_text(before.worst)}."
    )


def _switch(switch: Switch, style: Style, width: int) -> list[str]:
    instead = "" if switch.before is None else f" instead of {_named(switch.before, switch.after)}"
    text = f"{style.strong(switch.path)}: {_named(switch.after, switch.before)}{instead} saves {as_text(switch.after.saves)}"
    lines = wrap(text, width, "    ", "  ~ ")
    loses = "; ".join(switch.after.loses) or "nothing that the service tells of"
    return [*lines, *wrap(f"loses: {loses}", width, "      ", "    ")]


def _named(choice: ModelOption, other: ModelOption | None) -> str:
    """What of it differs from the other."""
    model = choice.model if other is None or other.model != choice.model else None
    resolution = choice.resolution if other is None or other.resolution != choice.resolution else None
    return " at ".join(filter(None, (model, resolution)))


def _how_to_keep(found: Cheapest, width: int) -> Iterator[str]:
    inputs = list(dict.fromkeys(_words(keep) for keep in _keeps(found) if keep.input_name is not None))
    if found.inputs_suffice:
        yield from wrap(f"To keep it, give the run `{' '.join(inputs)}`.", width)
        return
    yield "To keep it:"
    for keep in _keeps(found):
        if keep.input_name is None:
            yield from wrap(
                f"{relative_path(keep.file or '')}, line {keep.line}: `{_words(keep)}`", width, "    ", "  → "
            )
    if inputs:
        yield from wrap(f"and give the run `{' '.join(inputs)}`", width, "    ", "  → ")


def _keeps(found: Cheapest) -> Iterator[Keep]:
    for switch in found.switches:
        yield from switch.keep


def _words(keep: Keep) -> str:
    if keep.input_name is not None:
        return f"-i {keep.input_name}={keep.value}"
    return f"{keep.field}: {keep.value}"


def cheapest_document(found: Cheapest) -> dict[str, Any]:
    """As JSON. The plan itself stands around it."""
    return {
        "before": as_numbers(found.before),
        "saves": as_number(found.before.expected - found.plan.credits.expected),
        "switches": [
            {
                "id": switch.path,
                "model": switch.after.model,
                "resolution": switch.after.resolution,
                "before": None
                if switch.before is None
                else {"model": switch.before.model, "resolution": switch.before.resolution},
                "saves": as_number(switch.after.saves),
                "loses": list(switch.after.loses),
                "keep": [
                    {
                        "field": keep.field,
                        "value": keep.value,
                        "input": keep.input_name,
                        "file": None if keep.file is None else str(keep.file),
                        "line": keep.line,
                    }
                    for keep in switch.keep
                ],
            }
            for switch in found.switches
        ],
    }
