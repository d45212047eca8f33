"""`zenflow tools sync`: what came, went and moved since the snapshot; `--check` writes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Edit = Callable[[dict[str, Any]], object]


def _add_a_parameter(tool: dict[str, Any]) -> None:
    tool["input_schema"]["properties"]["grain"] = {"type": "integer"}


def _drop_a_parameter(tool: dict[str, Any]) -> None:
    tool["input_schema"]["properties"].pop("ratio")


def _let_less(tool: dict[str, Any]) -> None:
    tool["input_schema"]["properties"]["batch_size"]["maximum"] = 2


def _trust_no_more(tool: dict[str, Any]) -> None:
    next(model for model in tool["models"] if model["value"] == "SEEDREAM_5")["trusted_only"] = True


@pytest.fixture
def synced(zenflow: Any, here: Path, town: Any) -> Callable[[str, Edit], dict[str, Any]]:
    """What `sync` says of a snapshot that was edited: as if the service had changed from that to what it is."""

    def sync(name: str, edit: Edit) -> dict[str, Any]:
        assert zenflow("tools", "sync", "--server", town.url).status == 0
        path = here / "schemas" / "tools" / f"{name}.json"
        document = json.loads(path.read_text())
        edit(document)
        path.write_text(json.dumps(document))
        said = zenflow("tools", "sync", "--server", town.url, "--json")
        assert said.status == 0, said.err
        found = said.document
        assert isinstance(found, dict)
        return found

    return sync


def test_the_first_snapshot_has_nothing_to_be_compared_with(zenflow: Any, town: Any) -> None:
    assert zenflow("tools", "sync", "--server", town.url, "--json").document["changes"] is None
    again = zenflow("tools", "sync", "--server", town.url)
    assert again.out.rstrip().endswith("nothing has changed")


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (_add_a_parameter, ("parameter", "removed", "grain", True)),
        (_drop_a_parameter, ("parameter", "added", "ratio", True)),
        (_let_less, ("parameter", "changed", "batch_size", True)),
        (lambda tool: tool["models"].pop(), ("model", "added", "NANO_BANANA", False)),
        (lambda tool: tool["models"].append({"value": "OLD_ONE"}), ("model", "removed", "OLD_ONE", True)),
        (lambda tool: tool.update(price=7), ("price", "changed", None, True)),
        (lambda tool: tool["models"][0].update(pricing={"credits": 99}), ("price", "changed", None, True)),
        (_trust_no_more, ("gate", "changed", "SEEDREAM_5", True)),
        (lambda tool: tool.update(description="another"), ("text", "changed", None, False)),
    ],
)
def test_each_kind_of_change_is_named(synced: Any, edit: Edit, expected: tuple[str, str, str | None, bool]) -> None:
    what, how, name, may_break = expected
    (row,) = synced("by_prompt", edit)["changes"]
    assert (row["tool"], row["what"], row["how"], row["may_break"]) == ("by_prompt", what, how, may_break)
    assert name is None or row["name"] == name


def test_check_writes_nothing_and_fails_where_something_moved(zenflow: Any, here: Path, town: Any) -> None:
    folder = here / "schemas" / "tools"
    none = zenflow("tools", "sync", "--check", "--server", town.url, "--json")
    assert (none.status, none.code, folder.exists()) == (1, "ZF078", False)
    zenflow("tools", "sync", "--server", town.url)
    assert zenflow("tools", "sync", "--check", "--server", town.url).status == 0
    (folder / "upscaler.json").unlink()
    (folder / "gone.json").write_text('{"name": "gone", "price": 3}')
    stale = zenflow("tools", "sync", "--check", "--server", town.url)
    assert (stale.status, (folder / "upscaler.json").exists()) == (1, False)
    assert "- gone" in stale.out and "+ upscaler" in stale.out


def test_a_damaged_snapshot_is_taken_anew_but_not_passed(zenflow: Any, here: Path, town: Any) -> None:
    zenflow("tools", "sync", "--server", town.url)
    (here / "schemas" / "tools" / "upscaler.json").write_text("{")
    assert zenflow("tools", "sync", "--check", "--server", town.url, "--json").code == "ZF431"
    said = zenflow("tools", "sync", "--server", town.url, "--json")
    assert (said.status, said.document["changes"]) == (0, None)
    assert zenflow("tools", "sync", "--check", "--server", town.url).status == 0


def test_check_belongs_to_sync(zenflow: Any, here: Path) -> None:
    assert zenflow("tools", "--check", "--json").code == "ZF003"
