"""`zenflow report`: one HTML file that needs no network and shows foreign text as data."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from zenflow.cli.params.command_context import settings_here
from zenflow.cli.params.options import ServerOptions

pytestmark = pytest.mark.slow

LOOKS = """
zenflow: 1
name: looks
inputs: {looks: {type: array, items: {type: string}, default: [red lamp, blue lamp]}}
budget: 20
steps:
  a:
    foreach: ${{ inputs.looks }}
    uses: by_prompt
    with: {positive_prompt: "${{ item }}", model: SEEDREAM_5, seed: 7}
  big: {foreach: "${{ steps.a }}", uses: upscaler, with: {image_asset_id: "${{ item.asset_id }}", output_format: png}}
  s: {uses: download, with: {asset_ids: "${{ steps.big.asset_ids }}", name: "${{ origin.a.item | slug }}"}}
outputs: {all: "${{ steps.s.files }}"}
"""
HOSTILE = "<img src=x onerror=alert(1)><script>document.title='owned'</script>\\u202egnp.\\e]0;x\\a"


def _report(zenflow: Callable[..., Any], *words: str) -> tuple[Path, str]:
    written = Path(zenflow("report", "--json", *words).document["file"])
    return written, written.read_text("utf-8")


def test_report_shows_prompt_price_seed_and_lineage(run: Any, zenflow: Any) -> None:
    document = run(LOOKS)
    assert document["status"] == "done"
    file, page = _report(zenflow)
    assert file.parent == Path(document["out"])
    for wanted in ("red lamp", "SEEDREAM_5", "<dt>seed</dt><dd>7</dd>", "big.0", "a.0", 'aria-label="Made from"'):
        assert wanted in page, wanted
    assert page.count('<article class="card"') == 4  # two results, and the two that they were made from
    assert page.count("data:image/webp;base64,") >= 2


def test_planned_credits_stand_beside_the_charge(run: Any, zenflow: Any) -> None:
    run(LOOKS)
    _, page = _report(zenflow)
    row = re.search(r"<tr><td>big</td>.*?</tr>", page)
    assert row is not None
    planned, charged = re.findall(r'<td class="n">([^<]*)</td>', row[0])[1:]
    assert float(planned) == float(charged) > 0


def test_view_of_show_agrees_with_the_schema(run: Any, zenflow: Any) -> None:
    import json

    import jsonschema

    run(LOOKS)
    view = zenflow("show", "--json").document["view"]
    schema = json.loads((Path(__file__).resolve().parents[2] / "schemas/run-view.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(view)
    assert {one["instance"] for one in view["instances"]} == {"a.0", "a.1", "big.0", "big.1", "s"}
    assert view["credits"]["charged"] == sum(one["credits"] for one in view["instances"])


def test_failed_instances_are_shown_with_reason_and_step(run: Any, zenflow: Any, here: Path) -> None:
    from zenflow.app.queries.run_views import view_of
    from zenflow.report.html.page import report_page

    run(LOOKS)
    view = asyncio.run(view_of(None, settings_here(ServerOptions())))
    failed = replace(
        view.instances[-1], status="failed", code="ZF706", message="the service said no", hint="Ask again."
    )
    page = report_page(replace(view, instances=(*view.instances[:-1], failed)), here / "r.html").html
    section = page.partition("Problems and next steps")[2].partition("</section>")[0]
    for wanted in (failed.instance, "the service said no", "ZF706", "→ Ask again."):
        assert wanted in section, wanted


def test_missing_file_is_named_not_fatal(run: Any, zenflow: Any) -> None:
    document = run(LOOKS)
    for one in document["files"]:
        Path(one["path"]).unlink()
    _, page = _report(zenflow)
    assert page.count('class="none"') == 4


def test_unwritable_target_is_a_clear_error(run: Any, zenflow: Any) -> None:
    run(LOOKS)
    answer = zenflow("report", "-o", "missing/folder/r.html", "--json")
    assert (answer.status, answer.code) == (2, "ZF034")


def test_hostile_text_is_data(run: Any, zenflow: Any) -> None:
    recipe = LOOKS.replace("[red lamp, blue lamp]", f'["{HOSTILE}", blue lamp]').replace(
        "name: looks", f'name: looks\ndescription: "{HOSTILE}"'
    )
    run(recipe)
    _, page = _report(zenflow)
    assert "<script>document" not in page and "<img src=x" not in page
    assert "\u202e" not in page and "\x1b" not in page
    assert "\\u202e" in page


@pytest.mark.slow
def test_page_makes_no_request_and_runs_no_script(run: Any, zenflow: Any, in_browser: Any) -> None:
    run(LOOKS.replace("[red lamp, blue lamp]", f'["{HOSTILE}", blue lamp]'))
    file, _ = _report(zenflow)

    def look(browser: Any) -> tuple[list[str], list[str], str, int]:
        page = browser.new_context(offline=True).new_page()
        asked: list[str] = []
        said: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.goto(file.as_uri())
        page.wait_for_selector(".card img")
        page.fill("#filter-text", "blue")
        shown = page.locator(".card:visible").count()
        title = page.title()
        page.context.close()
        return asked, said, title, shown

    asked, said, title, shown = in_browser(look)
    assert [url for url in asked if not url.startswith("data:")] == [file.as_uri()]
    assert "owned" not in title and said == []
    assert shown == 2


@pytest.mark.slow
def test_page_fits_wide_and_narrow_light_and_dark(run: Any, zenflow: Any, in_browser: Any) -> None:
    run(LOOKS)
    file, _ = _report(zenflow)

    def widths(browser: Any) -> list[tuple[int, int]]:
        found = []
        for width in (1280, 400):
            for scheme in ("light", "dark"):
                context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
                page = context.new_page()
                page.goto(file.as_uri())
                found.append((page.evaluate("document.documentElement.scrollWidth"), width))
                context.close()
        return found

    assert all(seen <= width for seen, width in in_browser(widths))
