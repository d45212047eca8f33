"""A plan drawn: at 80 and 120 columns, with many steps, without prices, and each verdict in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from zenflow.cli.terminal.style import COLOUR, PLAIN
from zenflow.cli.views.plan import draw_plan
from zenflow.credits import Estimate
from zenflow.plan.model import Count, Kept, Orphan, Plan, PlannedStep, Reuse, Verdict

MakePlan = Callable[..., Plan]


def free(path: str, uses: str, count: int = 1) -> PlannedStep:
    return PlannedStep(path, uses, "action", Count(count, count, count))


def paid(path: str, uses: str, counts: tuple[int, int, int], each: int, **more: Any) -> PlannedStep:
    credits = Estimate(*(Decimal(each * count) for count in counts))
    return PlannedStep(path, uses, "tool", Count(*counts), credits_each=Decimal(each), credits=credits, **more)


def photoshoot(make_plan: MakePlan, **judged: Any) -> Plan:
    return make_plan(
        free("upload", "upload"),
        free("craft_prompt", "craft_prompt", 2),
        paid("generate", "image_editor", (2, 2, 2), 4, model="SEEDREAM_5", placeholder=True),
        paid("upscale", "upscaler", (0, 2, 8), 1, uncertain="as many as generate gives; at most 8"),
        free("download", "download"),
        **judged,
    )


def test_at_80_columns(make_plan: MakePlan) -> None:
    assert draw_plan(photoshoot(make_plan), PLAIN, 80).splitlines() == [
        "sandbox · pictures are drawn, no credits",
        "shoot 1.0.0: One photo in.",
        "",
        "  step          tool · model                   calls  each  low  expected  worst",
        "  upload        upload                             1     –    –         –      –",
        "  craft_prompt  craft_prompt                       2     –    –         –      –",
        "  generate      image_editor · SEEDREAM_5          2    ~4    8         8      8",
        "  upscale       upscaler                         0–8     1    0         2      8",
        "  download      download                           1     –    –         –      –",
        "  ──────────────────────────────────────────────────────────────────────────────",
        "  total                                    2–10 paid          8        10     16",
        "  budget        recipe                                                        60",
        "  balance                                                                   1000",
        "    afterwards                                              992       990    984",
        "",
        "  ~ priced with a stand-in for what is not made yet; asked again before anything",
        "    that leads there is paid",
        "  · upscale: as many as generate gives; at most 8",
        "",
        "Fits: at most 16 credits, within the budget of 60 (recipe) and the balance of",
        "1000.",
    ]


def test_at_120_columns_sentences_run_on(make_plan: MakePlan) -> None:
    lines = draw_plan(photoshoot(make_plan), PLAIN, 120).splitlines()
    assert lines[-1] == "Fits: at most 16 credits, within the budget of 60 (recipe) and the balance of 1000."
    assert max(map(len, lines)) <= 120


def test_long_names_are_cut_so_that_every_line_fits(make_plan: MakePlan) -> None:
    plan = make_plan(paid("a_step_with_a_rather_long_name_" * 2, "video2video", (1, 1, 1), 4, model="LONG_MODEL" * 6))
    lines = draw_plan(plan, PLAIN, 80).splitlines()
    assert max(map(len, lines)) <= 80
    assert "…" in lines[4] and lines[4].endswith("4")


def test_without_colour_and_with_it_the_words_are_the_same(make_plan: MakePlan) -> None:
    import re

    plan = photoshoot(make_plan)
    assert re.sub(r"\x1b\[[0-9;]*m", "", draw_plan(plan, COLOUR, 80)) == draw_plan(plan, PLAIN, 80)


def test_of_300_steps_the_free_ones_share_a_line(make_plan: MakePlan) -> None:
    steps = [free(f"look_{n}", "describe", 2) for n in range(200)]
    steps += [paid(f"make_{n}", "by_prompt", (1, 1, 1), 1) for n in range(100)]
    lines = draw_plan(make_plan(*steps), PLAIN, 80).splitlines()
    assert len(lines) < 20
    assert [line.split() for line in lines if "free steps" in line] == [
        ["+", "200", "free", "steps", "describe", "400", *"––––"]
    ]


def test_groups_300_steps_of_one_tool_and_price(make_plan: MakePlan) -> None:
    steps = [paid(f"make_{n}", "by_prompt", (1, 1, 1), 1) for n in range(280)]
    steps += [paid(f"other_{n}", "by_prompt", (1, 2, 3), 5) for n in range(20)]
    lines = draw_plan(make_plan(*steps), PLAIN, 80).splitlines()
    assert lines[4].split() == ["make_0", "+", "279", "like", "it", "by_prompt", "280", "1", "280", "280", "280"]
    assert lines[5].split() == ["other_0", "+", "19", "like", "it", "by_prompt", "20–60", "5", "100", "200", "300"]
    assert len(lines) < 20 and max(map(len, lines)) <= 80


def test_lists_kept_and_orphaned_below_the_table(make_plan: MakePlan) -> None:
    kept = (
        Kept("generate.0", "f0", "run-a", "generate.0", Decimal(4)),
        Kept("generate.1", "f1", "run-a", "generate.1", Decimal(4)),
    )
    orphans = (Orphan("run-a", "generate.2", "image_editor", Decimal(4)),)
    step = paid("generate", "image_editor", (1, 1, 1), 4, kept=2)
    plan = replace(make_plan(step), reuse=Reuse({"source": "last"}, kept, orphans), expected_s=75.0)
    text = draw_plan(plan, PLAIN, 100)
    assert "1 + 2 kept" in text
    assert "  = kept from run run-a: 2 of generate, 8 credits were paid for it" in text
    text = " ".join(text.split())
    assert "- orphaned: 1 paid result of run run-a for 4 credits that nothing asks for any more: generate.2 (4)" in text
    assert "Takes about 1 min 15 s at the current limits." in text


def test_what_has_no_price_is_named_and_never_zero(make_plan: MakePlan) -> None:
    step = PlannedStep("speak", "lipsync", "tool", Count(1, 1, 3), unpriced="422: audio_asset is missing")
    lines = draw_plan(make_plan(step, verdict=Verdict.UNPRICED), PLAIN, 80).splitlines()
    assert lines[4].split() == ["speak", "lipsync", "1–3", "?", "?", "?", "?"]
    assert lines[6].split() == ["total", "1–3", "paid", *("0", "+", "?") * 3]
    assert "  ? no price for speak: 422: audio_asset is missing" in lines
    assert lines[-3:] == [
        "Unpriced: there is no price for speak, so the run cannot be kept within a",
        "budget.",
        "→ Give speak `max_credits`, the most that one call may cost.",
    ]


def test_max_credits_stands_where_there_is_no_price(make_plan: MakePlan) -> None:
    worst = Estimate(Decimal(5), Decimal(5), Decimal(15))
    step = PlannedStep(
        "speak", "lipsync", "tool", Count(1, 1, 3), unpriced="no price", max_credits=Decimal(5), credits=worst
    )
    assert draw_plan(make_plan(step), PLAIN, 80).splitlines()[4].split() == [
        *("speak", "lipsync", "1–3", "≤", "5", "5", "5", "15")
    ]


def test_over_says_by_how_much_and_what_would_make_it_fit(make_plan: MakePlan) -> None:
    plan = photoshoot(
        make_plan,
        budget=8,
        origin="--budget",
        verdict=Verdict.OVER,
        short_by=Decimal(2),
        bound="budget",
        ways_out=("fewer instances: 1 of `generate` instead of 2",),
    )
    assert draw_plan(plan, PLAIN, 80).splitlines()[-2:] == [
        "Over: 10 credits are expected, 2 more than the budget of 8 (--budget).",
        "→ fewer instances: 1 of `generate` instead of 2",
    ]


def test_over_the_balance_names_the_balance(make_plan: MakePlan) -> None:
    plan = photoshoot(make_plan, balance=4, verdict=Verdict.OVER, short_by=Decimal(6), bound="balance")
    assert draw_plan(plan, PLAIN, 80).splitlines()[-1] == (
        "Over: 10 credits are expected, 6 more than the balance of 4."
    )


def test_may_stop_says_where_and_with_what_finished(make_plan: MakePlan) -> None:
    plan = photoshoot(
        make_plan,
        budget=12,
        verdict=Verdict.MAY_STOP,
        bound="budget",
        stops_at="upscale",
        finished_by_then="4 of 8 of `upscale`",
    )
    assert " ".join(draw_plan(plan, PLAIN, 80).splitlines()[-2:]) == (
        "May stop: 10 credits are expected and fit, the worst case of 16 does not fit the budget of 12 (recipe); "
        "it may stop at upscale, with 4 of 8 of `upscale`."
    )
