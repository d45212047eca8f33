"""What leaves with a run: outputs.json, latest, a flat layout, the report at the end, a ZIP, one result again."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.seeing.test_report import LOOKS

pytestmark = pytest.mark.slow

FOLDERS = LOOKS.replace('"${{ origin.a.item | slug }}"', '"pictures/${{ origin.a.item | slug }}"')


def test_outputs_stand_beside_the_manifest(run: Any) -> None:
    document = run(LOOKS)
    written = json.loads((Path(document["out"]) / "outputs.json").read_text())
    assert (written["run_id"], written["outputs"]) == (document["run_id"], document["outputs"])


def test_latest_leads_to_the_newest_run(run: Any, here: Path) -> None:
    run(LOOKS)
    second = run(LOOKS)
    assert (here / "out/latest").resolve() == Path(second["out"]).resolve()


def test_a_folder_called_latest_stays(run: Any, here: Path) -> None:
    (here / "out/latest").mkdir(parents=True)
    run(LOOKS)
    assert not (here / "out/latest").is_symlink()


def test_flat_layout_has_no_folders(run: Any, here: Path) -> None:
    (here / "zenflow.toml").write_text('[output]\nlayout = "flat"\n')
    document = run(FOLDERS)
    names = {Path(one["path"]).relative_to(document["out"]).as_posix() for one in document["files"]}
    assert names == {"pictures-red-lamp.png", "pictures-blue-lamp.png"}


def test_layout_stays_that_of_the_run(run: Any, zenflow: Any, here: Path) -> None:
    document = run(FOLDERS)
    Path(document["files"][0]["path"]).unlink()
    (here / "zenflow.toml").write_text('[output]\nlayout = "flat"\n')
    assert zenflow("fetch", "--json").status == 0
    assert Path(document["files"][0]["path"]).is_file()


def test_report_is_written_at_the_end_when_wanted(run: Any, here: Path) -> None:
    (here / "zenflow.toml").write_text("[output]\nreport = true\n")
    assert "red lamp" in (Path(run(LOOKS)["out"]) / "report.html").read_text()


def test_wrong_layout_is_named_with_its_place(zenflow: Any, here: Path) -> None:
    (here / "zenflow.toml").write_text('[output]\nlayout = "pile"\n')
    answer = zenflow("runs", "--json")
    assert answer.status == 2 and "zenflow.toml:2:10" in answer.err
    assert "flat" in answer.message


def test_export_packs_files_manifest_and_outputs(run: Any, zenflow: Any, here: Path) -> None:
    document = run(FOLDERS)
    assert zenflow("export", "--zip", "all.zip", "--json").document["missing"] == []
    with zipfile.ZipFile(here / "all.zip") as archive:
        assert archive.testzip() is None
        assert set(archive.namelist()) == {
            "pictures/red-lamp.png",
            "pictures/blue-lamp.png",
            "manifest.json",
            "outputs.json",
        }
        for one in document["files"]:
            name = Path(one["path"]).relative_to(document["out"]).as_posix()
            assert archive.read(name) == Path(one["path"]).read_bytes()


def test_export_names_what_is_missing(run: Any, zenflow: Any, here: Path) -> None:
    document = run(LOOKS)
    Path(document["files"][0]["path"]).unlink()
    assert len(zenflow("export", "--flat", "--json").document["missing"]) == 1
    Path(document["files"][1]["path"]).unlink()
    answer = zenflow("export", "--json")
    assert (answer.status, answer.code) == (2, "ZF079")
    assert f"zenflow fetch {document['run_id']}" in answer.hint


def test_redo_pays_for_one_and_reuses_the_rest(run: Any, zenflow: Any) -> None:
    first = run(LOOKS)
    answer = zenflow("redo", first["run_id"], "a.0", "--set", "prompt=a green lamp", "--yes", "--json").document
    assert answer["status"] == "done"
    paid = [one["address"] for step in answer["steps"].values() for one in step["instances"] if one["credits"]]
    assert sorted(paid) == ["a.0", "big.0"]
    view = {one["instance"]: one for one in zenflow("show", "--json").document["view"]["instances"]}
    assert view["a.0"]["prompt"] == "a green lamp" and view["a.1"]["reused_from"]


def test_redo_keeps_its_change_over_a_resume(run: Any, zenflow: Any) -> None:
    first = run(LOOKS)
    zenflow("redo", first["run_id"], "a.0", "--set", "prompt=a green lamp", "--set", "seed=99", "--yes", "--json")
    view = {one["instance"]: one for one in zenflow("show", "--json").document["view"]["instances"]}
    assert (view["a.0"]["prompt"], view["a.0"]["seed"]) == ("a green lamp", 99)
    again = zenflow("redo", "last", "big.1", "--yes", "--json").document
    paid = [one["address"] for step in again["steps"].values() for one in step["instances"] if one["credits"]]
    assert paid == ["big.1"]


@pytest.mark.parametrize(
    ("words", "code", "hint"),
    [
        (("a.9",), "ZF080", "a.0, a.1, big.0"),
        (("s",), "ZF080", "a.0"),
        (("a.0", "--set", "model=QWEN_IMAGE"), "ZF081", "--set positive_prompt="),
        (("a.0", "--set", "seed=blue"), "ZF081", "--set seed=7"),
    ],
)
def test_redo_refuses_what_cannot_be(run: Any, zenflow: Any, words: tuple[str, ...], code: str, hint: str) -> None:
    document = run(LOOKS)
    answer = zenflow("redo", document["run_id"], *words, "--yes", "--json")
    assert (answer.status, answer.code) == (2, code)
    assert hint in answer.hint
    assert zenflow("runs", "--json").document["total"] == 1
