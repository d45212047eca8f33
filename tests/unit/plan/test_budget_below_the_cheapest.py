"""A budget that no run of the recipe can keep to is found without a price being asked."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from zenflow.catalog.model import Catalog
from zenflow.catalog.prices import PriceRequest, Quote
from zenflow.credits import Credits
from zenflow.plan.build import PlanRequest, check_recipe
from zenflow.plan.model import BudgetLine
from zenflow.plan.pricing.minimum_cost import KnownPrices
from zenflow.problems import Problem, Problems
from zenflow.recipe.load import load_recipe_texts

SANDBOX = KnownPrices(stand=True)
MAKE = "uses: by_prompt, with: {positive_prompt: a, model: QWEN_IMAGE_PRO}"
SAVE = 'save: {uses: download, with: {asset_ids: "${{ steps.make.asset_ids }}"}}'


def found(
    catalog: Catalog, body: str, known: KnownPrices = SANDBOX, *, beside: Mapping[str, str] | None = None, **more: Any
) -> list[Problem]:
    texts = {"main.yaml": body, **(beside or {})}
    head = "zenflow: 1\nname: test\n"
    recipe = load_recipe_texts({name: head + textwrap.dedent(text) for name, text in texts.items()}, "main.yaml")
    problems = Problems()
    inputs = {name: spec.default for name, spec in recipe.inputs.items() if not spec.required}
    check_recipe(PlanRequest(recipe=recipe, inputs=inputs, server="x", catalog=catalog, **more), problems, (), known)
    return [one for one in problems.in_order() if one.code == "ZF603"]


def budget_of(amount: int, step: str, inputs: str = "{}") -> str:
    return f"budget: {amount}\ninputs: {inputs}\nsteps:\n  make: {{{step}}}\n  {SAVE}\n"


@pytest.mark.parametrize(
    ("step", "inputs", "cheapest"),
    [
        (f"foreach: [a, b, c], {MAKE}", "{}", 6),
        (f'foreach: "${{{{ inputs.words }}}}", {MAKE}', "{words: {type: array, default: [a, b, c, d]}}", 8),
        (f'foreach: "${{{{ inputs.words }}}}", {MAKE}', "{words: {type: array}}", 0),
        (f'if: "${{{{ inputs.want }}}}", {MAKE}', "{want: {type: boolean}}", 0),
        (f'if: "${{{{ inputs.want }}}}", {MAKE}', "{want: {type: boolean, default: true}}", 2),
        (f"reuse: true, {MAKE}", "{}", 0),
        (f"retry: 3, {MAKE}", "{}", 2),
        ('uses: by_prompt, with: {positive_prompt: a, model: "${{ inputs.model }}"}', "{model: string}", 1),
        ("uses: text_to_video, with: {positive_prompt: a, model: wan@2.6-flash, resolution: 480p}", "{}", 0),
    ],
    ids=lambda value: str(value)[:60],
)
def test_only_what_is_certain_counts(catalog: Catalog, step: str, inputs: str, cheapest: int) -> None:
    if cheapest:
        below = found(catalog, budget_of(cheapest - 1, step, inputs))
        assert [one.severity for one in below] == ["error"]
        assert f"the cheapest run costs at least {cheapest}: 1 too few" in below[0].message
    assert found(catalog, budget_of(cheapest, step, inputs)) == []


def test_both_places_are_shown_the_budget_and_the_dearest_step(catalog: Catalog) -> None:
    (one,) = found(catalog, budget_of(3, f"foreach: [a, b], {MAKE}"))

    assert (one.place.line, one.place.column) == (3, 9)  # type: ignore[union-attr]
    (note,) = one.notes
    assert note.message == "`make`: 2 calls, at least 4 credits"
    assert note.place.line == 6
    assert one.hint == (
        "Write `budget: 4` or more, make fewer calls, or take a cheaper model. The prices are the sandbox's own."
    )


def test_refuses_over_a_workspace_cap_naming_the_dearest_step(catalog: Catalog) -> None:
    caps = (BudgetLine(Credits(1), "[budget] per_run"),)
    (one,) = found(catalog, budget_of(9, f"foreach: [a, b], {MAKE}"), bounds=caps)

    assert one.refuses
    assert one.message.startswith("[budget] per_run is 1 credit, and the cheapest run costs at least 4: 3 too few")


def test_checks_inner_and_outer_budgets(catalog: Catalog) -> None:
    inner = f"budget: 1\nsteps:\n  make: {{{MAKE}}}\noutputs: {{ids: '${{{{ steps.make.asset_ids }}}}'}}\n"
    outer = """\
    budget: 5
    steps:
      each: {foreach: [a, b, c], uses: ./inner.yaml}
      save: {uses: download, with: {asset_ids: "${{ steps.each.ids }}"}}
    """
    of_inner, of_outer = found(catalog, outer, beside={"inner.yaml": inner})

    assert "the budget is 1 credit, and the cheapest run costs at least 2: 1 too few" in of_inner.message
    assert (of_inner.place.file, of_outer.place.file) == ("inner.yaml", "main.yaml")  # type: ignore[union-attr]
    assert "the cheapest run costs at least 6: 1 too few" in of_outer.message
    assert of_outer.notes[0].message == "`each/make`: 3 calls, at least 6 credits"


def test_a_price_that_was_told_once_only_warns_and_says_when(catalog: Catalog) -> None:
    at = datetime(2026, 11, 20, 7, 30, tzinfo=UTC)

    def told(price_request: PriceRequest) -> Quote | None:
        return Quote(Credits(7), at) if price_request.params["model"] == "QWEN_IMAGE_PRO" else None

    (one,) = found(catalog, budget_of(10, f"foreach: [a, b], {MAKE}"), KnownPrices(rows=False, told=told))

    assert one.severity == "warning"
    assert "the cheapest run costs at least 14: 4 too few" in one.message
    assert (one.hint or "").endswith("By prices of 2026-11-20 07:30 UTC: `zenflow plan` asks for those of today.")


def test_where_nothing_is_known_of_prices_nothing_is_said(catalog: Catalog) -> None:
    assert found(catalog, budget_of(0, MAKE), KnownPrices(rows=False)) == []
