"""Mistakes in recipes, each with the code and the exact place that is reported (rule 5)."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.support.findings import HEAD, problems_of, short
from zenflow.problems import Problem

UPLOAD = "  up: {uses: upload, with: {source: '${{ inputs.photo }}'}}\n"
INPUTS = "inputs: {photo: image, n: {type: integer, default: 1}, words: {type: array, items: {type: string}}}\n"
STEPS = HEAD + INPUTS + "steps:\n" + UPLOAD
USED = "outputs: {a: '${{ inputs.n }}', b: '${{ inputs.words }}'}\n"


@dataclass(frozen=True)
class Mistake:
    what: str
    text: str
    expected: str  # CODE LINE:COLUMN-ENDCOLUMN
    says: str = ""  # part of message or hint


def step(body: str) -> str:
    """A recipe whose step `s` begins on line 6 with the given keys; line 5 is an upload."""
    return STEPS + "  s:\n" + "".join(f"    {line}\n" for line in body.split("\n")) + USED


MISTAKES = (
    Mistake("a list of steps", HEAD + "steps:\n  - uses: upload\n", "ZF203 4:3-17", "expected a mapping, found a list"),
    Mistake("no steps", HEAD + "steps: {}\n", "ZF208 3:8-10", "at least one"),
    Mistake("steps left out", HEAD, "ZF202 1:1-11", "no `steps`"),
    Mistake("nothing under steps", HEAD + "steps:\n", "ZF203 3:7-8", "expected a mapping, found nothing"),
    Mistake("text instead of a recipe", "hello\n", "ZF203 1:1-6", "expected a mapping"),
    Mistake("a list instead of a recipe", "- a\n", "ZF203 1:1-4", "expected a mapping"),
    Mistake("no name", "zenflow: 1\nsteps:\n  s: {uses: upload, with: {source: a.png}}\n", "ZF202 1:1-11", "no `name`"),
    Mistake("another format", HEAD.replace("1", "2") + "steps: {s: {uses: x}}\n", "ZF209 1:10-11", "reads format 1"),
    Mistake(
        "a name with capitals", "zenflow: 1\nname: My-Recipe\nsteps: {s: {uses: x}}\n", "ZF207 2:7-16", "photoshoot"
    ),
    Mistake("a version that is a number", HEAD + "version: 1.0\nsteps: {s: {uses: x}}\n", "ZF203 3:10-13", '"1.0"'),
    Mistake("an unknown key", HEAD + "stesp: {}\nsteps: {s: {uses: x}}\n", "ZF201 3:1-6", "Did you mean `steps`?"),
    Mistake("a step's name with a dash", HEAD + "steps: {my-step: {uses: x}}\n", "ZF206 3:9-16", "`my_step`"),
    Mistake("a step's name that is long", HEAD + "steps: {" + "a" * 65 + ": {uses: x}}\n", "ZF206 3:9-74"),
    Mistake("a step that says nothing", HEAD + "steps:\n  s:\n", "ZF203 4:5-6", "expected a mapping, found nothing"),
    Mistake("a step without uses", HEAD + "steps:\n  s:\n    with: {}\n", "ZF202 4:3-4", "no `uses`"),
    Mistake("an unknown key of a step", step("uses: x\nwiht: {}"), "ZF201 8:5-9", "Did you mean `with`?"),
    Mistake("a key of a step written twice", step("uses: x\nuses: y"), "ZF117 8:5-9", "`uses` is written twice"),
    Mistake("uses of a number", step("uses: 5"), "ZF203 7:11-12", "expected text, found the number 5"),
    Mistake("a with that is a list", step("uses: x\nwith: [1]"), "ZF203 8:11-14", "expected a mapping, found a list"),
    Mistake("a with without a space", step("uses: x\nwith:\n  prompt:hello"), "ZF203 9:7-19", "`prompt: hello`"),
    Mistake("yes for a boolean", step("uses: x\nreuse: yes"), "ZF203 8:12-15", 'found text "yes"'),
    Mistake("a timeout without a unit", step("uses: x\ntimeout: 90"), "ZF203 8:14-16", "`90s`"),
    Mistake("a timeout that is over at once", step("uses: x\ntimeout: 0s"), "ZF207 8:14-16", "90s"),
    Mistake("a timeout in days", step("uses: x\ntimeout: 2d"), "ZF207 8:14-16", "90s"),
    Mistake("an unknown on_error", step("uses: x\non_error: contineu"), "ZF204 8:15-23", "Did you mean `continue`?"),
    Mistake("a negative retry", step("uses: x\nretry: -1"), "ZF205 8:12-14", "at least 0"),
    Mistake("a fraction of a retry", step("uses: x\nretry: 1.5"), "ZF203 8:12-15", "expected an integer"),
    Mistake("a quoted number", step('uses: x\nmax_credits: "4"'), "ZF203 8:18-21", "without quotes: 4"),
    Mistake(
        "retry of an action",
        step("uses: describe\nwith: {asset_id: '${{ steps.up.asset_id }}'}\nretry: 1"),
        "ZF224 9:5-10",
    ),
    Mistake("max without foreach", step("uses: x\nmax: 3"), "ZF226 8:5-8", "`foreach`"),
    Mistake("max of nothing", step("foreach: [1]\nuses: x\nmax: 0"), "ZF205 9:10-11", "at least 1"),
    Mistake("an if that is no expression", step("uses: x\nif: inputs.n > 1"), "ZF203 8:9-21", "`${{ inputs.n > 1 }}`"),
    Mistake(
        "an if around an expression",
        step("uses: x\nif: ${{ inputs.n }} > 1"),
        "ZF327 8:9-28",
        "`if: ${{ inputs.n > 1 }}`",
    ),
    Mistake("an if that gives a number", step("uses: x\nif: ${{ inputs.n }}"), "ZF328 8:9-24", "true or false"),
    Mistake("needs of an unknown step", step("uses: x\nneeds: ups"), "ZF223 8:12-15", "Did you mean `up`?"),
    Mistake("needs of an unknown step in a list", step("uses: x\nneeds: [up, nope]"), "ZF223 8:17-21"),
    Mistake("needs of itself", step("uses: x\nneeds: s"), "ZF323 8:12-13", "reads itself"),
    Mistake("foreach over text", step("foreach: hello\nuses: x"), "ZF203 7:14-19", "a list, an expression"),
    Mistake("foreach over a number", step("foreach: ${{ inputs.n }}\nuses: x"), "ZF329 7:14-29", "an integer"),
    Mistake(
        "foreach over a step without one",
        step("foreach: ${{ steps.up }}\nuses: x"),
        "ZF329 7:14-29",
        "has no `foreach`",
    ),
    Mistake(
        "foreach over one value", step("foreach: ${{ steps.up.asset_id }}\nuses: x"), "ZF329 7:14-38", "an asset id"
    ),
    Mistake("foreach over a mapping with a value that is none", step("foreach: {a: 5}\nuses: x"), "ZF203 7:18-19"),
    Mistake("foreach that reads item", step("foreach: ${{ item }}\nuses: x"), "ZF320 7:18-22", "cannot stand in it"),
    Mistake(
        "foreach over a list in a tool's output",
        step("uses: x").replace("outputs:", "  t:\n    foreach: ${{ steps.s.output.words }}\n    uses: y\noutputs:"),
        "ZF225 9:14-41",
        "`max` is required",
    ),
    Mistake(
        "max that reads a step",
        step("foreach: [1]\nuses: x\nmax: ${{ steps.up.size_bytes }}"),
        "ZF322 9:14-19",
        "`inputs` only",
    ),
    Mistake("item outside foreach", step("uses: x\nwith: {a: '${{ item }}'}"), "ZF320 8:20-24", "Add `foreach"),
    Mistake("index outside foreach", step("uses: x\nwith: {a: '${{ index }}'}"), "ZF320 8:20-25"),
    Mistake("previous outside foreach", step("uses: x\nwith: {a: '${{ previous.a }}'}"), "ZF320 8:20-28"),
    Mistake("run in a parameter", step("uses: x\nwith: {a: '${{ run.id }}'}"), "ZF321 8:20-23", "`name` of a download"),
    Mistake("an unknown step", step("uses: x\nwith: {a: '${{ steps.upp.x }}'}"), "ZF310 8:26-29", "Did you mean `up`?"),
    Mistake(
        "an unknown result",
        step("uses: x\nwith: {a: '${{ steps.up.asset }}'}"),
        "ZF310 8:29-34",
        "Did you mean `asset_id`?",
    ),
    Mistake(
        "an unknown input", step("uses: x\nwith: {a: '${{ inputs.foto }}'}"), "ZF310 8:27-31", "Did you mean `photo`?"
    ),
    Mistake("a whole step as a value", step("uses: x\nwith: {a: '${{ steps.up }}'}"), "ZF324 8:20-28", "`.asset_id`"),
    Mistake(
        "an instance of one", step("uses: x\nwith: {a: '${{ steps.up[0].asset_id }}'}"), "ZF325 8:29-30", "no `foreach`"
    ),
    Mistake("a step by a computed name", step("uses: x\nwith: {a: '${{ steps[inputs.n] }}'}"), "ZF310 8:20-34"),
    Mistake(
        "a list where text is built",
        step("uses: x\nwith: {a: 'see ${{ inputs.words }}'}"),
        "ZF312 8:24-36",
        "join",
    ),
    Mistake(
        "origin over a plain list",
        step("foreach: [1]\nuses: x\nwith: {a: '${{ origin.up.asset_id }}'}"),
        "ZF326 9:20-26",
    ),
    Mistake(
        "origin of a stranger",
        step("foreach: [1]\nuses: x").replace(
            "outputs:",
            "  t:\n    foreach: ${{ steps.s.asset_ids }}\n    uses: y\n    with: {a: '${{ origin.up.asset_id }}'}\noutputs:",
        ),
        "ZF326 12:27-29",
        "They come from: `s`",
    ),
    Mistake(
        "an unknown key of item", step("foreach: [{a: 1}]\nuses: x\nwith: {b: '${{ item.c }}'}"), "ZF310 9:25-26", "`a`"
    ),
    Mistake("a missing parameter", step("uses: describe"), "ZF221 7:11-19", "`asset_id`"),
    Mistake(
        "a missing parameter of a reference",
        step("uses: craft_prompt\nwith: {brief: a, tool_name: b, model: c, references: [{role: x}]}"),
        "ZF221 8:59-68",
    ),
    Mistake(
        "an unknown parameter",
        step("uses: describe\nwith: {asset_id: '${{ steps.up.asset_id }}', foo: 1}"),
        "ZF220 8:50-53",
    ),
    Mistake(
        "a misspelt parameter", step("uses: upload\nwith: {sorce: a.png}"), "ZF220 8:12-17", "Did you mean `source`?"
    ),
    Mistake(
        "a number for text",
        step("uses: craft_prompt\nwith: {brief: 2024, tool_name: b, model: c}"),
        "ZF222 8:19-23",
        '"2024"',
    ),
    Mistake(
        "a count over its bound",
        step("uses: craft_prompt\nwith: {brief: x, tool_name: b, model: c, count: 9}"),
        "ZF222 8:53-54",
        "at most 4",
    ),
    Mistake(
        "a brief over its bound",
        step(f"uses: craft_prompt\nwith: {{brief: {'x' * 4001}, tool_name: b, model: c}}"),
        "ZF222 8:19-4020",
    ),
    Mistake(
        "a path for an asset id", step("uses: describe\nwith: {asset_id: photo.jpg}"), "ZF222 8:22-31", "uploaded first"
    ),
    Mistake(
        "an input for an asset id",
        step("uses: describe\nwith: {asset_id: '${{ inputs.photo }}'}"),
        "ZF222 8:22-43",
        "upload it first",
    ),
    Mistake(
        "one asset id for a list",
        step("uses: pick\nwith: {asset_ids: '${{ steps.up.asset_id }}'}"),
        "ZF222 8:23-49",
        "expected a list",
    ),
    Mistake(
        "a download of nothing", step("uses: download\nwith: {name: a}"), "ZF221 7:11-19", "`asset_ids` or `asset_id`"
    ),
    Mistake(
        "a download of both",
        step("uses: download\nwith: {asset_ids: ['${{ steps.up.asset_id }}'], asset_id: '${{ steps.up.asset_id }}'}"),
        "ZF233 8:53-61",
    ),
    Mistake(
        "item in the name of a download without foreach",
        step("uses: download\nwith: {asset_id: '${{ steps.up.asset_id }}', name: '${{ item }}'}"),
        "ZF320 8:61-65",
    ),
    Mistake(
        "an upload from outside",
        step("uses: upload\nwith: {source: ../../secret.png}"),
        "ZF232 8:20-36",
        "its own workspace or repository",
    ),
    Mistake("an absolute upload", step("uses: upload\nwith: {source: /etc/passwd}"), "ZF232 8:20-31"),
    Mistake("outputs that read item", STEPS + "outputs: {a: '${{ item }}'}\n", "ZF320 6:19-23"),
    Mistake("an unknown key of run", STEPS + "outputs: {a: '${{ run.name }}'}\n", "ZF310 6:23-27", "`started_at`"),
    Mistake("a budget below zero", HEAD + "budget: -1\nsteps: {s: {uses: x}}\n", "ZF205 3:9-11"),
    Mistake("a budget in words", HEAD + "budget: a lot\nsteps: {s: {uses: x}}\n", "ZF203 3:9-14", "60"),
    Mistake("a budget from a step", STEPS + "budget: ${{ steps.up.size_bytes }}\n", "ZF322 6:13-18"),
    Mistake("a budget of text", STEPS + "budget: ${{ recipe.name }}\n", "ZF322 6:13-19"),
    Mistake(
        "an unknown policy", HEAD + "policy: {nsfw: maybe}\nsteps: {s: {uses: x}}\n", "ZF204 3:16-21", "`deny`, `allow`"
    ),
    Mistake("adult content that the policy denies", step("uses: x\nwith: {nsfw: true}"), "ZF242 8:18-22"),
    Mistake(
        "adult content and uploads without a word on subjects",
        STEPS + "policy: {nsfw: allow}\n",
        "ZF241 6:16-21",
        "consenting-adults",
    ),
    Mistake(
        "an unknown type",
        HEAD + "inputs: {a: {type: imge}}\nsteps: {s: {uses: x, with: {a: '${{ inputs.a }}'}}}\n",
        "ZF204 3:20-24",
        "Did you mean `image`?",
    ),
    Mistake(
        "an unknown type word",
        HEAD + "inputs: {a: strnig}\nsteps: {s: {uses: x, with: {a: '${{ inputs.a }}'}}}\n",
        "ZF204 3:13-19",
        "Did you mean `string`?",
    ),
    Mistake(
        "an input without a type",
        HEAD + "inputs: {a: {minimum: 1}}\nsteps: {s: {uses: x, with: {a: '${{ inputs.a }}'}}}\n",
        "ZF202 3:10-11",
        "no `type`",
    ),
    Mistake(
        "a bound of another type",
        HEAD + "inputs: {a: {type: string, minimum: 1}}\nsteps: {s: {uses: x, with: {a: '${{ inputs.a }}'}}}\n",
        "ZF212 3:28-35",
    ),
    Mistake(
        "bounds that leave nothing",
        HEAD
        + "inputs: {a: {type: integer, minimum: 5, maximum: 1}}\nsteps: {s: {uses: x, with: {a: '${{ inputs.a }}'}}}\n",
        "ZF211 3:38-39",
    ),
    Mistake(
        "a pattern that is none",
        HEAD + "inputs: {a: {type: string, pattern: '['}}\nsteps: {s: {uses: x, with: {a: '${{ inputs.a }}'}}}\n",
        "ZF210 3:37-40",
    ),
    Mistake(
        "a default of another type",
        HEAD + "inputs: {a: {type: integer, default: x}}\nsteps: {s: {uses: x, with: {a: '${{ inputs.a }}'}}}\n",
        "ZF213 3:38-39",
    ),
    Mistake(
        "a default outside its enum",
        HEAD
        + "inputs: {a: {type: string, enum: [x, y], default: z}}\nsteps: {s: {uses: x, with: {a: '${{ inputs.a }}'}}}\n",
        "ZF213 3:51-52",
    ),
    Mistake(
        "a default outside the folder",
        HEAD
        + "inputs: {a: {type: image, default: /etc/passwd}}\nsteps: {s: {uses: x, with: {a: '${{ inputs.a }}'}}}\n",
        "ZF232 3:36-47",
    ),
    Mistake("an expression that is never closed", step("uses: x\nwith:\n  a: ${{ inputs.n"), "ZF301 9:10-13"),
    Mistake(
        "a comment inside an expression",
        step("uses: x\nwith:\n  a: ${{ inputs.words | join(' #') }}"),
        "ZF110 9:10-13",
        "\"${{ inputs.words | join(' #') }}\"",
    ),
    Mistake(
        "a misspelt filter",
        step("uses: x\nwith:\n  a: ${{ inputs.n | rond }}"),
        "ZF304 9:25-29",
        "Did you mean `round`?",
    ),
    Mistake("arithmetic with text", step("uses: x\nwith:\n  a: ${{ inputs.photo + 1 }}"), "ZF311 9:14-30", "`~`"),
)


@pytest.mark.parametrize("mistake", MISTAKES, ids=[mistake.what for mistake in MISTAKES])
def test_a_mistake_is_reported_at_its_place(mistake: Mistake) -> None:
    found = [problem for problem in problems_of(mistake.text) if problem.severity == "error"]
    assert [short(problem) for problem in found] == [mistake.expected], found
    assert mistake.says in said(found[0]), found[0]


def said(problem: Problem) -> str:
    return f"{problem.message} {problem.hint or ''}"


def test_many_mistakes_are_reported_in_one_go(findings) -> None:  # type: ignore[no-untyped-def]
    text = step("uses: x\nwiht: {}\ntimeout: 5\nwith: {a: '${{ itm }}', b: '${{ steps.zz.a }}'}\nneeds: yy")
    assert findings(text) == ["ZF201 8:5-9", "ZF203 9:14-15", "ZF303 10:20-23", "ZF310 10:43-45", "ZF223 11:12-14"]


def test_reports_a_cycle_with_its_path_at_the_first_reference() -> None:
    text = (
        HEAD
        + "steps:\n"
        + "  z: {uses: pick, with: {asset_ids: '${{ steps.b.asset_ids }}'}}\n"
        + "  a: {uses: pick, with: {asset_ids: '${{ steps.c.asset_ids }}'}}\n"
        + "  b: {uses: pick, with: {asset_ids: '${{ steps.a.asset_ids }}'}}\n"
        + "  c: {uses: pick, needs: b, with: {asset_ids: ['0f0e0d0c-0b0a-4908-8706-050403020100']}}\n"
    )
    (found,) = problems_of(text)
    assert short(found) == "ZF323 5:48-49"
    assert "a → c → b → a" in found.message


def test_an_input_that_nobody_reads_is_a_warning_and_no_error() -> None:
    text = STEPS.replace("n: {", "m: {")
    assert problems_of(text) == []


@pytest.mark.parametrize(
    "expression",
    [
        "'n' ~ inputs.n == 'n1'",
        "(inputs.n | string) == '1'",
        "'the words inputs.n == \"1\"' == inputs.t",
        "{'inputs': {'n': '1'}}.inputs.n == '1'",
        "inputs.t == '1' and inputs.n == 1",
    ],
)
def test_a_comparison_that_can_hold_is_no_warning(expression: str) -> None:
    inputs = "inputs: {n: {type: integer, default: 1}, t: {type: string, default: '1'}}\n"
    text = f"{HEAD}{inputs}outputs:\n  a: >-\n    ${{{{ {expression} }}}}\n  b: ${{{{ inputs.n ~ inputs.t }}}}\n"
    assert [one.code for one in problems_of(text) if one.code == "ZF337"] == []


@pytest.mark.parametrize("expression", ["inputs.n == '1'", "not inputs.n != '1'", "true and inputs.n == ''"])
def test_a_comparison_that_never_holds_is_one(expression: str) -> None:
    inputs = "inputs: {n: {type: integer, default: 1}}\n"
    text = f"{HEAD}{inputs}outputs:\n  a: ${{{{ {expression} }}}}\n"
    assert [one.code for one in problems_of(text) if one.code == "ZF337"] == ["ZF337"]


@pytest.mark.parametrize(
    "text", ["{% raw %} of ${{ inputs.n }}", "10 {% of $${{ inputs.n }}", "${{ '{% if x %}' ~ inputs.n }}"]
)
def test_treats_foreign_marks_beside_expressions_as_warnings(text: str) -> None:
    inputs = "inputs: {n: {type: integer, default: 1}}\n"
    found = problems_of(f"{HEAD}{inputs}outputs:\n  a: >-\n    {text}\n  b: ${{{{ inputs.n }}}}\n")
    assert [one.code for one in found if one.code == "ZF317"] == []


HINTS = [  # what is written, and what may not be proposed for it or must be
    ("budget: 1,000\n", "`budget: 1000`"),
    ("budget: $60\n", "`budget: 60`"),
    ("budget: 1_500 credits\n", "`budget: 1500`"),
    ("budget: 2.5 cr\n", "`budget: 2.5`"),
]


@pytest.mark.parametrize(("line", "hint"), HINTS)
def test_shows_the_number_meant_by_a_budget_with_words(line: str, hint: str) -> None:
    (found,) = [one for one in problems_of(f"{HEAD}{line}outputs: {{a: b}}\n") if one.code == "ZF203"]
    assert hint in (found.hint or "")


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("timeout: 1h30m", "`90m`"),
        ("timeout: 2 hours", "`2h`"),
        ("timeout: 1 min 30 sec", "`90s`"),
        ("retry: {max: 3}", "`retry: 3`"),
        ("retry: {delay: 30, limit: 2}", "`retry: 2`"),
    ],
)
def test_what_other_tools_write_is_shown_in_our_words(key: str, hint: str) -> None:
    (found,) = problems_of(HEAD + f"steps:\n  a:\n    uses: by_prompt\n    {key}\n    with: {{positive_prompt: a}}\n")
    assert hint in (found.hint or "")


@pytest.mark.parametrize("key", ["timeout: 500ms", "timeout: 2 months", "retry: {delay: 30, wait: 2}"])
def test_leaves_unknown_statuses_as_they_are(key: str) -> None:
    (found,) = problems_of(HEAD + f"steps:\n  a:\n    uses: by_prompt\n    {key}\n    with: {{positive_prompt: a}}\n")
    assert not any(wrong in (found.hint or "") for wrong in ("500m", "`2m`", "retry: 30"))


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("${{ inputs.n }", "It ends with two braces: `${{ inputs.n }}`"),
        ("a ${{ inputs.n | string", "Close it: `${{ inputs.n | string }}`"),
        ("${{ inputs.n, the same person", "A literal `${{`"),
        ("${{ inputs.n } and {more}", "A literal `${{`"),
    ],
)
def test_an_open_expression_is_closed_only_where_that_gives_one(text: str, hint: str) -> None:
    inputs = "inputs: {n: {type: integer, default: 1}}\n"
    found = problems_of(f"{HEAD}{inputs}outputs:\n  a: >-\n    {text}\n")
    (unclosed,) = [one for one in found if one.code == "ZF301"]
    assert (unclosed.hint or "").startswith(hint)
