"""A recipe of somebody else that means harm: each attack, and that nothing comes of it.

What a recipe may do at most: read files of its own folder, write into the output folder, spend up to the caps. Whoever runs it
may name any file; the recipe may not.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import time
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.support.build import Harness, harness_of
from tests.support.findings import HEAD
from zenflow.artifacts.base import ArtifactError, ExpectedFile
from zenflow.artifacts.disk import DiskStore
from zenflow.errors import InvalidRecipe
from zenflow.expr.evaluate import ExpressionError, evaluate
from zenflow.expr.parse import parse_text
from zenflow.expr.template import Template
from zenflow.patterns import BadPattern, pattern_of
from zenflow.problems import Problems
from zenflow.recipe.inputs.bind import bind_inputs
from zenflow.recipe.load import load_recipe

SOON_S = 20.0  # against hours: not a matter of a slow machine


def value_of(expression: str, scope: dict[str, Any] | None = None) -> Any:
    problems = Problems()
    template = parse_text("${{ " + expression + " }}", None, None, problems)
    if problems.has_errors:
        raise InvalidRecipe(problems.in_order())
    assert isinstance(template, Template)
    return evaluate(template, scope or {"inputs": {"t": "text", "o": {"k": 1}, "l": [1, 2, 3]}, "steps": {}})


# --- expressions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "expression",
    [
        "inputs.t.__class__",
        "inputs.t['__class__']",
        "inputs['__class__']",
        "''.__class__.__mro__[1].__subclasses__()",
        "inputs.t.format(inputs)",
        "'{0.__class__}'.format(1)",
        "inputs.t.upper()",
        "inputs.l.append(4)",
        "inputs.o.items()",
        "(1).__add__(2)",
        "range.__globals__",
        "self.__init__",
        "namespace()",
        "cycler('a')",
        "lipsum()",
        "dict(a=1)",
        "joiner()",
        "import('os')",
        "__import__('os').system('id')",
        "open('/etc/passwd')",
        "env.HOME",
        "os.environ",
        "config",
        "request",
        "inputs.l | attr('append')",
        "inputs.t | format('a')",
        "inputs.l | map('upper')",
        "inputs.l | map(attribute='__class__')",
        "inputs.l | groupby('x')",
        "inputs.t | safe",
        "'%s' % inputs.t",
        "'a' * 10",
        "[1] * 10",
        "lambda: 1",
        "inputs.t is callable",
        "now()",
        "inputs.l | random",
        "[x for x in inputs.l]",
        "{% include '/etc/passwd' %}",
        "inputs.o.__dict__",
        "inputs.o['get']",
        "super()",
        "inputs.o.zz | default(inputs.t.__class__)",
    ],
)
def test_an_expression_reaches_no_python_no_file_no_environment(expression: str) -> None:
    with pytest.raises((InvalidRecipe, ExpressionError)):
        value_of(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "9 ** 9 ** 9 ** 9",
        "9 ** 999999",
        "10.0 ** 10000",
        "range(100000000)",
        "range(0, 100001)",
        "(range(100000) | list) + (range(100000) | list)",
        "range(100000) | join('" + "x" * 100 + "')",
        "range(99999) | join(range(99999) | join(',')) ",
        "'a' | pad(100000000)",
        "inputs.t | replace('t', range(99999) | join('x')) | replace('x', range(99999) | join('y'))",
        "[" * 3000 + "]" * 3000,
        "(" * 3000 + "1" + ")" * 3000,
        "not " * 5000 + "true",
        "1" + " + 1" * 20000,
        "1 if true else " * 3000 + "2",
        "-" * 5000 + "1",
        "~".join(["inputs.t"] * 9000),
        "9" * 5000,
        "1e400",
    ],
)
def test_an_expression_cannot_run_away(expression: str) -> None:
    began = time.process_time()
    with pytest.raises((InvalidRecipe, ExpressionError)):
        value_of(expression)
    assert time.process_time() - began < SOON_S


# --- the text --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("x-a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
            f"x-{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(12)
        ), "ZF113"),
        ("x-a: &a {k: *a}\n", "ZF125"),
        ("x-a: " + "[" * 5000 + "]" * 5000 + "\n", "ZF114"),
        ("x-a: " + "{a: " * 5000 + "1" + "}" * 5000 + "\n", "ZF114"),
        ("x-a: '" + "a" * (2 << 20) + "'\n", "ZF103"),
        ("x-a: !!python/object/apply:os.system ['id']\n", "ZF111"),
        ("x-a: !!python/name:os.system\n", "ZF111"),
        ("x-a: " + "9" * 100_000 + "\n", "ZF119"),
    ],
)  # fmt: skip
def test_a_text_that_would_eat_the_machine_is_refused_early(tmp_path: Path, text: str, code: str) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(HEAD + text + "steps: {s: {uses: x}}\n")
    problems, began = Problems(), time.process_time()
    load_recipe(path, problems)
    assert code in {problem.code for problem in problems}
    assert time.process_time() - began < SOON_S


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a|a)*$", "(a|aa)+$", "a*a*a*a*a*a*a*b", "(.*a){12}$", "^(([a-z])+.)+[A-Z]$"]
)
def test_a_pattern_takes_time_that_grows_with_the_text_alone(pattern: str) -> None:
    began = time.process_time()
    assert pattern_of(pattern).is_in("a" * 3000 + "!") in (True, False)
    assert time.process_time() - began < SOON_S


@pytest.mark.parametrize(
    "pattern", ["(?=a)", r"(a)\1", "(?P<n>a)", "a{9999}{9999}", "(" * 200 + ")" * 200, "[", "a**", "(?i)a"]
)
def test_a_pattern_that_cannot_be_matched_so_is_refused(pattern: str) -> None:
    with pytest.raises(BadPattern):
        pattern_of(pattern)


# --- files -----------------------------------------------------------------------------------------------------------


def recipe_at(folder: Path, body: str) -> tuple[Any, Problems]:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "r.yaml"
    path.write_text(HEAD + body)
    problems = Problems()
    return load_recipe(path, problems), problems


@pytest.mark.parametrize(
    "source",
    [
        "/etc/passwd",
        "../secret.png",
        "a/../../secret.png",
        "~/.ssh/id_rsa",
        "C:\\secret",
        "file:///etc/passwd",
        "..\\s",
    ],
)
def test_a_literal_source_outside_the_folder_is_refused(tmp_path: Path, source: str) -> None:
    _, problems = recipe_at(tmp_path / "book", f"steps: {{s: {{uses: upload, with: {{source: '{source}'}}}}}}\n")
    assert "ZF232" in {problem.code for problem in problems}


@pytest.mark.parametrize("default", ["/etc/passwd", "../secret.png", "~/x.png"])
def test_a_default_outside_the_folder_is_refused(tmp_path: Path, default: str) -> None:
    body = f"inputs: {{p: {{type: image, default: '{default}'}}}}\n"
    body += "steps: {s: {uses: upload, with: {source: '${{ inputs.p }}'}}}\n"
    _, problems = recipe_at(tmp_path / "book", body)
    assert "ZF232" in {problem.code for problem in problems}


def test_a_default_that_is_a_link_leading_out_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"\x89PNG\r\n\x1a\n0000")
    (tmp_path / "book").mkdir()
    (tmp_path / "book/p.png").symlink_to(tmp_path / "secret.png")
    recipe, problems = recipe_at(
        tmp_path / "book",
        "inputs: {p: {type: image, default: p.png}}\nsteps: {s: {uses: upload, with: {source: '${{ inputs.p }}'}}}\n",
    )
    assert recipe is not None and not problems.has_errors
    with pytest.raises(InvalidRecipe) as refused:
        bind_inputs(recipe, [], tmp_path)
    assert refused.value.code == "ZF518"


UPLOADS = """
inputs: {name: {type: string, default: p.png}}
steps:
  up: {uses: upload, with: {source: "SOURCE"}}
"""


def uploaded(tmp_path: Path, source: str, named: tuple[str, ...] = (), **inputs: Any) -> Harness:
    book = tmp_path / "book"
    book.mkdir(exist_ok=True)
    (book / "r.yaml").write_text(HEAD + "version: '1'\n" + UPLOADS.replace("SOURCE", source))
    recipe = load_recipe(book / "r.yaml", Problems())
    assert recipe is not None
    stage = Harness(recipe, inputs=inputs, named_paths=named, budget=100)
    stage.finished()
    return stage


@pytest.mark.parametrize("way", ["link", "link in a folder", "computed", "computed absolute", "input of text"])
def test_never_uploads_a_file_outside_however_it_is_named(tmp_path: Path, way: str) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"\x89PNG\r\n\x1a\nsecret")
    book = tmp_path / "book"
    book.mkdir()
    (book / "link.png").symlink_to(secret)
    (book / "away").symlink_to(tmp_path)
    source = {
        "link": "link.png",
        "link in a folder": "away/secret.png",
        "computed": "${{ '..' ~ '/secret.png' }}",
        "computed absolute": "${{ '" + str(secret) + "' }}",
        "input of text": "${{ inputs.name }}",
    }[way]
    stage = uploaded(tmp_path, source, **({"name": str(secret)} if way == "input of text" else {}))
    (one,) = stage.state().instances.values() if stage.state().instances else (None,)
    assert not any(
        b"secret" in asset.data for asset in getattr(stage.service, "assets", {}).values() if hasattr(asset, "data")
    )
    assert one is None or one.status.value == "failed"


def test_a_file_that_whoever_runs_it_has_named_is_uploaded(tmp_path: Path) -> None:
    secret = tmp_path / "mine.png"
    secret.write_bytes(b"\x89PNG\r\n\x1a\nmine")
    stage = uploaded(tmp_path, "${{ inputs.name }}", (str(secret),), name=str(secret))
    assert [one.status.value for one in stage.state().instances.values()] == ["done"]


@pytest.mark.parametrize("name", ["../x", "/tmp/x", "a/../../x", "C:\\x", "\\\\host\\x", "a\\..\\..\\x", "link/x"])
def test_no_file_is_written_outside_the_output_folder(tmp_path: Path, name: str) -> None:
    """Whatever a name was computed from: the disk is the last to look at it."""
    out = tmp_path / "run" / "out"
    out.mkdir(parents=True)
    (out / "link").symlink_to(tmp_path)
    picture = io.BytesIO()
    Image.new("RGB", (2, 2)).save(picture, "PNG")

    async def chunks() -> AsyncIterator[bytes]:
        yield picture.getvalue()

    store = DiskStore(out)
    expected = ExpectedFile(media_type="image/png", total_bytes=None)
    with contextlib.suppress(ArtifactError):
        asyncio.run(store.save(name, "0f0e0d0c-0b0a-4908-8706-050403020100", chunks(), expected))
    assert [path for path in tmp_path.rglob("*.png") if not path.is_relative_to(out)] == []


@pytest.mark.parametrize("uses", ["../other.yaml", "/etc/r.yaml", "a/../../other.yaml", "./link.yaml", "~/r.yaml"])
def test_no_recipe_outside_the_folder_is_used(tmp_path: Path, uses: str) -> None:
    (tmp_path / "other.yaml").write_text(HEAD + "steps: {s: {uses: upload, with: {source: a.png}}}\n")
    (tmp_path / "book").mkdir()
    (tmp_path / "book/link.yaml").symlink_to(tmp_path / "other.yaml")
    _, problems = recipe_at(tmp_path / "book", f"steps: {{s: {{uses: '{uses}'}}}}\n")
    assert problems.has_errors


# --- money -----------------------------------------------------------------------------------------------------------

GREEDY = "steps:\n  a: {foreach: '${{ range(50) }}', uses: image_editor, with: {prompt: 'p${{ item }}'}}\n"


@pytest.mark.parametrize("own", ["", "budget: 100000\n", "budget: ${{ 10 ** 6 }}\n"])
def test_a_recipe_spends_no_more_than_the_cap_whatever_it_says(own: str) -> None:
    stage = harness_of(own + GREEDY, budget=Decimal(10))
    stage.finished()
    assert sum(stage.charges().values()) * 2 <= 10


def test_an_inner_recipe_cannot_widen_policy_or_budget() -> None:
    inner = "budget: 100000\npolicy: {nsfw: allow}\n" + GREEDY
    stage = harness_of("budget: 6\nsteps:\n  s: {uses: ./inner.yaml}\n", {"inner.yaml": inner})
    stage.finished()
    assert sum(stage.charges().values()) * 2 <= 6


def test_a_recipe_that_uses_itself_is_refused_with_its_path(tmp_path: Path) -> None:
    _, problems = recipe_at(tmp_path / "book", "steps: {s: {uses: ./r.yaml}}\n")
    assert [problem.code for problem in problems if problem.severity == "error"] == ["ZF229"]
