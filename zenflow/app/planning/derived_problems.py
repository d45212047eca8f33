"""Which findings only follow from others: told beside their cause, they would send people to the wrong place.

A consequence that is left out here comes back by itself when its cause is mended and it was none after all.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from zenflow.problems import Place, Problem, Problems
from zenflow.recipe.model import Recipe

FIRST_OF_PARAMETERS = "ZF4"
UNREAD = ("ZF240", "ZF418")  # an input or a result that nothing reads: often only because a name is misspelt
MISSING = ("ZF221",)  # a parameter, in a step whose own form is wrong: its `with` may be what is misspelt
WRONG_VALUE = ("ZF222", "ZF312", "ZF403", "ZF408", "ZF409", "ZF413")  # of a value in which something else is wrong
CUT_SHORT = "ZF353"  # how many are asked for is what an error may be about
NO_WAY_BACK = ("ZF326",)
BREAKS_THE_WAY = ("ZF117", "ZF206", "ZF329", "ZF351", "ZF352")
NO_KEY, SECOND_DOCUMENT = "ZF202", "ZF115"
OF_INPUTS = ("ZF50", "ZF51")  # what was given does not fit, so nobody knows how long it is
UNKNOWN_LENGTH, BAD_DEFAULT = "ZF352", "ZF213"  # of an input whose default is no list
PLAIN_TEXT, NO_ASSET = "ZF317", "ZF408"  # the error says both
LEADS_OUT, OF_ITS_FILE = "ZF232", ("ZF510", "ZF518")  # a default that is no path of the recipe's folder
NO_NAME, WRONG_TYPE, TAG = "ZF310", "ZF203", "ZF111"
UNKNOWN_NAME, BAD_NAME = "ZF303", "ZF206"
_UNKNOWN, _TAIL = re.compile(r"`(\w+)`"), re.compile(r"-(\w+)`")


def drop_derived_problems(problems: Problems, recipe: Recipe, invalid_steps: Collection[str]) -> tuple[Problem, ...]:
    """The findings in reading order, without those that follow from others."""
    found = problems.in_order()
    errors = [one for one in found if one.severity == "error"]
    codes = {one.code for one in errors}
    misnamed = any(code < FIRST_OF_PARAMETERS for code in codes)
    uses = {recipe.steps[step_id].places.value("uses") for step_id in invalid_steps}
    foreach = {spec.places.value("foreach") for spec in recipe.steps.values() if spec.foreach is not None}
    is_broken_way = bool(codes & set(BREAKS_THE_WAY)) or any(one.place in foreach for one in errors)

    # `steps.my-step` is a subtraction of `step`; that `my-step` is no name is told where it is given.
    tails = {tail for one in errors if one.code == BAD_NAME for tail in _TAIL.findall(one.message)}
    places = ErrorPlaces(errors)
    roots = ErrorPlaces(one for one in errors if one.code not in WRONG_VALUE)

    tagged = ErrorPlaces(one for one in errors if one.code == TAG)
    ways_out = ErrorPlaces(one for one in errors if one.code == LEADS_OUT)

    def follows(one: Problem) -> bool:
        if one.code in UNREAD:
            return misnamed or places.within(one.place)  # of a tool that there is not, nobody knows what it makes
        if one.code == CUT_SHORT:
            return bool(errors)
        if one.code in MISSING:
            return one.place in uses
        if one.code == UNKNOWN_LENGTH:
            return BAD_DEFAULT in codes or any(code.startswith(OF_INPUTS) for code in codes)
        if one.code == PLAIN_TEXT:
            return places.around(one.place, NO_ASSET)
        if one.code in NO_WAY_BACK:
            return is_broken_way
        if one.code == NO_KEY:
            return SECOND_DOCUMENT in codes
        if one.code == NO_NAME and one.message.startswith(("inputs has no ", "steps has no ")):
            return bool(errors)  # the plan's words: of what is written, and could not be read
        if one.code == WRONG_TYPE:
            return tagged.within(one.place)
        if one.code in OF_ITS_FILE:
            return ways_out.within(one.place)
        if one.code == UNKNOWN_NAME:
            named = _UNKNOWN.search(one.message)
            return named is not None and named[1] in tails
        return one.code in WRONG_VALUE and roots.within(one.place)

    return tuple(one for one in found if not follows(one))


class ErrorPlaces:
    """Where errors stand, by line: asked for each of ten thousand findings what else lies there."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self._by_line: dict[tuple[str, int], list[Problem]] = {}
        for one in problems:
            if one.severity == "error" and one.place is not None:
                self._by_line.setdefault((one.place.file, one.place.line), []).append(one)

    def within(self, outer: Place | None) -> bool:
        """Whether an error lies at this place or in it, as a wrong name does in its expression."""
        if outer is None:
            return False
        lines = range(outer.line, outer.end_line + 1)
        return any(_holds(outer, one.place) for line in lines for one in self._by_line.get((outer.file, line), ()))

    def around(self, inner: Place | None, code: str) -> bool:
        """Whether this place lies in that of such an error, which begins on the same line: a place is one line's."""
        found = () if inner is None else self._by_line.get((inner.file, inner.line), ())
        return any(one.code == code and _holds(one.place, inner) for one in found)


def _holds(outer: Place | None, inner: Place | None) -> bool:
    """Whether one place lies in another, or is it."""
    if outer is None or inner is None or outer.file != inner.file:
        return False
    begins = (outer.line, outer.column) <= (inner.line, inner.column)
    return begins and (inner.end_line, inner.end_column) <= (outer.end_line, outer.end_column)
