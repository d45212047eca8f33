"""Tools kept as files, and the copies of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from zenflow.catalog.model import Catalog
from zenflow.catalog.snapshot import PACKAGED, read_snapshot, write_snapshot
from zenflow.errors import UsageError

PUBLISHED = Path(__file__).parents[3] / "schemas" / "tools"


def test_the_published_copy_equals_the_packaged_one() -> None:
    packaged = {path.name: path.read_text(encoding="utf-8") for path in PACKAGED.glob("*.json")}
    published = {path.name: path.read_text(encoding="utf-8") for path in PUBLISHED.glob("*.json")}
    assert len(packaged) > 5
    assert packaged == published


def test_what_is_written_is_read_again(catalog: Catalog, tmp_path: Path) -> None:
    write_snapshot(tmp_path, catalog)
    again = read_snapshot(tmp_path)
    assert again.tools == catalog.tools
    assert (again.server, again.taken_at) == (catalog.server, catalog.taken_at)


def test_blocked_tools_and_models_stay_blocked(catalog: Catalog, tmp_path: Path) -> None:
    tool = catalog.tools["image_editor"]
    one = tuple(replace(model, blocked=model.value == "QWEN_IMAGE") for model in tool.models)
    every = tuple(replace(model, blocked=True) for model in tool.models)
    for changed in (
        replace(tool, models=one),
        replace(tool, models=every, blocked=True),
        replace(tool, models=(), blocked=True),
    ):
        write_snapshot(tmp_path, replace(catalog, tools={tool.name: changed}))
        kept = read_snapshot(tmp_path).tools[tool.name]
        assert (kept.blocked, [m.blocked for m in kept.models]) == (
            changed.blocked,
            [m.blocked for m in changed.models],
        )


def test_records_the_answer_and_source_of_a_file(catalog: Catalog, tmp_path: Path) -> None:
    write_snapshot(tmp_path, catalog)
    document = json.loads((tmp_path / "upscaler.json").read_text(encoding="utf-8"))
    assert document["input_schema"] == catalog.tools["upscaler"].input_schema
    assert document["_snapshot"]["server"] == "sandbox"


def test_files_of_tools_that_are_gone_are_removed(catalog: Catalog, tmp_path: Path) -> None:
    (tmp_path / "gone.json").write_text("{}", encoding="utf-8")
    write_snapshot(tmp_path, catalog)
    assert not (tmp_path / "gone.json").exists()


@pytest.mark.parametrize("text", ["", "[]", "{", '{"price": 1}'])
def test_a_file_that_is_no_snapshot_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "broken.json").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"broken\.json"):
        read_snapshot(tmp_path)


def test_a_folder_without_snapshots_is_an_empty_catalogue(tmp_path: Path) -> None:
    assert read_snapshot(tmp_path).tools == {}
