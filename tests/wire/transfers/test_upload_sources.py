"""What an upload names is examined before anything is paid, and sent as what its bytes are: over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

MANY = """\
zenflow: 1
name: many
budget: 20
inputs: {photos: {type: array, items: {type: image}}}
steps:
  up: {foreach: "${{ inputs.photos }}", uses: upload, with: {source: "${{ item }}"}}
  a:
    foreach: ${{ steps.up }}
    uses: image_editor
    with: {prompt: white studio, image_assets: ["${{ item.asset_id }}"], model: SEEDREAM_5}
  s: {uses: download, with: {asset_ids: "${{ steps.a.asset_ids }}"}}
"""
BESIDE = """\
zenflow: 1
name: beside
budget: 9
inputs:
  path: {type: string, default: photo.png}
steps:
  paid: {uses: by_prompt, with: {positive_prompt: a hill, model: SEEDREAM_5}}
  up:
    uses: upload
    with:
      source: ${{ inputs.path }}
  save: {uses: download, with: {asset_ids: "${{ steps.paid.asset_ids }}"}}
outputs: {asset: "${{ steps.up.asset_id }}"}
"""


def noise(path: Path, form: str) -> Path:
    Image.effect_noise((64, 64), 60).save(path, form)
    return path


def uploaded(town: Any) -> list[str]:
    return [asset["media_type"] for asset in town.state["assets"] if asset["source"] == "upload"]


def test_files_go_up_as_what_their_bytes_are(zenflow: Any, here: Path, town: Any) -> None:
    (here / "many.yaml").write_text(MANY)
    forms = {"z1.jpg": "JPEG", "z3.jfif": "JPEG", "w.jpg": "WEBP", "w.png": "JPEG", "noending": "JPEG"}
    for name, form in forms.items():
        noise(here / name, form)
    photos = f"photos=[{', '.join(forms)}]"
    assert zenflow("validate", "many.yaml", "-i", photos, "--server", town.url).status == 0
    said = zenflow("run", "many.yaml", "-i", photos, "--server", town.url, "--yes", "--json")
    assert (said.status, said.document["status"], -sum(town.debits)) == (0, "done", 5)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("photo.png", "ZF510"),
        ("../outside.png", "ZF518"),
        ("folder", "ZF511"),
        ("notes.txt", "ZF515"),
        ("large.png", "ZF514"),
        ("cut.jpg", "ZF519"),
        ("raw.cr3", "ZF515"),
        ("blob:https://example.com/1", "ZF516"),
        ("data:image/gif;base64,R0lGODlh", "ZF515"),
        ("data:image/png;base64,***", "ZF516"),
    ],
)
def test_a_text_that_names_no_fit_file_costs_nothing(zenflow: Any, here: Path, town: Any, path: str, code: str) -> None:
    (here / "beside.yaml").write_text(BESIDE)
    (here / "folder").mkdir()
    (here / "notes.txt").write_text("no picture")
    noise(here.parent / "outside.png", "PNG")
    with noise(here / "large.png", "PNG").open("ab") as file:
        file.truncate(18_000_001)
    whole = noise(here / "cut.jpg", "JPEG").read_bytes()
    (here / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (here / "raw.cr3").write_bytes(b"\0\0\0\x18ftypcrx \0\0\0\1crx isom")
    for words in (("validate",), ("run", "--yes")):
        given = () if path == "photo.png" else ("-i", f"path={path}")
        said = zenflow(words[0], "beside.yaml", *given, *words[1:], "--server", town.url, "--json")
        assert said.status == 2, said.err
        assert [(row["code"], row["line"]) for row in said.document["problems"]] == [(code, 11)]
    assert town.posts == 0


class _Picture(BaseHTTPRequestHandler):
    """Serves one PNG without saying what it is."""

    body = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "application/octet-stream")
        self.send_header("content-length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *words: Any) -> None:
        pass


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    _Picture.body = noise(tmp_path / "served.png", "PNG").read_bytes()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Picture)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_address[1]}/photo"
    server.shutdown()


def test_an_address_that_says_no_type_goes_up_with_one_given(zenflow: Any, here: Path, town: Any, address: str) -> None:
    step = f'{{uses: upload, with: {{source: "HTTP://{address}"TYPE}}}}'
    for given, status in (("", 1), (", media_type: image/png", 0)):
        text = f"zenflow: 1\nname: up\nbudget: 1\nsteps:\n  up: {step.replace('TYPE', given)}\n"
        (here / "up.yaml").write_text(text + 'outputs: {a: "${{ steps.up.asset_id }}"}\n')
        assert zenflow("run", "up.yaml", "--server", town.url, "--yes").status == status


def test_one_address_goes_up_once_in_a_run(zenflow: Any, here: Path, town: Any, address: str) -> None:
    url = f"http://{address}"
    (here / "twice.yaml").write_text(
        "zenflow: 1\nname: twice\nbudget: 1\nsteps:\n"
        f'  up: {{foreach: ["{url}", "{url}"], uses: upload, with: {{source: "${{{{ item }}}}", media_type: image/png}}}}\n'
        'outputs: {n: "${{ steps.up.asset_id | unique | length }}"}\n'
    )
    said = zenflow("run", "twice.yaml", "--server", town.url, "--yes", "--json")
    assert (said.status, said.document["outputs"]) == (0, {"n": 1}), said.err
    assert town.state["requests"]["upload_asset"] == 1
