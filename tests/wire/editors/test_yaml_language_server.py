"""The real YAML language server on the shipped recipes: it completes, explains and underlines with `zenflow schema`.

Runs where node is there and `ZENFLOW_NODE` names a folder in which `npm install yaml-language-server` was done.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from zenflow.app.planning.recipe_schema import woven
from zenflow.catalog.snapshot import read_snapshot

ROOT = Path(__file__).parents[3]
SERVER = (
    Path(os.environ.get("ZENFLOW_NODE", "")) / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server"
)
SHIPPED = sorted(path for path in (ROOT / "recipes").rglob("*.yaml") if ".test." not in path.name)

pytestmark = pytest.mark.skipif(
    not shutil.which("node") or not os.environ.get("ZENFLOW_NODE") or not SERVER.exists(),
    reason="needs node and the YAML language server",
)


class Editor:
    """The editor's side of the protocol: one request after the other, over the server's pipes."""

    def __init__(self, process: subprocess.Popen[bytes], schema: Path) -> None:
        self.process = process
        self.schema = schema
        self.numbers = itertools.count(1)
        self.found: dict[str, list[Any]] = {}

    def send(self, **message: Any) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        out = self.process.stdout
        assert out is not None
        length = 0
        while (line := out.readline().strip()) or not length:
            if line.lower().startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        message: dict[str, Any] = json.loads(out.read(length))
        self.answer(message)
        return message

    def answer(self, message: dict[str, Any]) -> None:
        """What the server asks of an editor, and what it tells."""
        method = message.get("method")
        if method == "textDocument/publishDiagnostics":
            self.found[message["params"]["uri"]] = message["params"]["diagnostics"]
        elif method == "workspace/configuration":
            yaml = {"schemas": {self.schema.as_uri(): "*"}, "validate": True, "hover": True, "completion": True}
            sections = [item.get("section") for item in message["params"]["items"]]
            result = [yaml if section == "yaml" else {} for section in sections]
            self.send(id=message["id"], result=result)
        elif method is not None and "id" in message:
            self.send(id=message["id"], result=None)

    def ask(self, method: str, params: Any) -> Any:
        number = next(self.numbers)
        self.send(id=number, method=method, params=params)
        while True:
            message = self.receive()
            if message.get("id") == number and "method" not in message:
                assert "error" not in message, message
                return message["result"]

    def open(self, name: str, text: str) -> str:
        uri = f"file:///here/{name}"
        item = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self.send(method="textDocument/didOpen", params={"textDocument": item})
        return uri

    def problems(self, uri: str) -> list[tuple[int, str]]:
        while uri not in self.found:
            self.receive()
        return [(one["range"]["start"]["line"] + 1, one["message"]) for one in self.found[uri]]

    def at(self, uri: str, line: int, column: int) -> dict[str, Any]:
        """Line and column counted from 1."""
        return {"textDocument": {"uri": uri}, "position": {"line": line - 1, "character": column - 1}}

    def completions(self, uri: str, line: int, column: int) -> dict[str, str]:
        found = self.ask("textDocument/completion", self.at(uri, line, column))
        items = found["items"] if isinstance(found, dict) else found
        return {item["label"]: str(item.get("documentation")) for item in items}

    def hover(self, uri: str, line: int, column: int) -> str:
        found = self.ask("textDocument/hover", self.at(uri, line, column))
        return "" if found is None else str(found["contents"]["value"])


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    schema = tmp_path_factory.mktemp("schema") / "recipe.schema.json"
    schema.write_text(json.dumps(woven(read_snapshot())), "utf-8")
    words = ["node", str(SERVER), "--stdio"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        one = Editor(process, schema)
        abilities = {"workspace": {"configuration": True}, "textDocument": {"hover": {}, "completion": {}}}
        one.ask("initialize", {"processId": None, "rootUri": None, "capabilities": abilities})
        one.send(method="initialized", params={})
        yield one
        process.terminate()


def unmarked(text: str) -> str:
    """Without the line that names the plain schema: the one given in the settings serves."""
    return "".join(line for line in text.splitlines(keepends=True) if "$schema=" not in line)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_recipe_is_right_in_the_editor(editor: Editor, path: Path) -> None:
    uri = editor.open(f"{path.stem}.yaml", unmarked(path.read_text("utf-8")))
    assert editor.problems(uri) == []


RECIPE = """\
zenflow: 1
name: t
steps:
  edit:
    uses: image_editor
    with:
      prompt: a hat
      #
      model: SEEDREAM_55
    on_eror: continue
  enlarge:
    uses: upscaler
    with: {image_asset_id: "${{ steps.edit.asset_id }}"}
"""


def test_underlines_wrong_models_keys_and_parameters(editor: Editor) -> None:
    uri = editor.open("wrong.yaml", RECIPE.replace("      #\n", ""))
    said = editor.problems(uri)
    assert {line for line, _ in said} >= {8, 9, 12}
    assert any("output_format" in message for line, message in said if line == 12)
    assert any("on_eror" in message for line, message in said if line == 9)


def test_parameters_of_the_tool_are_completed_where_they_belong(editor: Editor) -> None:
    uri = editor.open("completed.yaml", RECIPE.replace("      #\n", "      \n"))
    offered = editor.completions(uri, 8, 7)
    assert {"image_assets", "number_of_images", "ratio"} <= set(offered)
    assert not {"positive_prompt", "image_asset_id"} & set(offered)


def test_models_and_tools_are_completed(editor: Editor) -> None:
    uri = editor.open("models.yaml", RECIPE.replace("SEEDREAM_55", ""))
    assert {"SEEDREAM_5", "NANO_BANANA"} <= set(editor.completions(uri, 9, 14))
    uri = editor.open("tools.yaml", RECIPE.replace("image_editor", ""))
    assert {"upload", "download", "image_editor", "videogen"} <= set(editor.completions(uri, 5, 11))


def test_keys_of_recipes_and_steps_are_completed_and_explained(editor: Editor) -> None:
    uri = editor.open("keys.yaml", "zenflow: 1\nname: t\nsteps:\n  a:\n    uses: upload\n    \n\n")
    assert {"foreach", "with", "max", "on_error"} <= set(editor.completions(uri, 6, 5))
    uri = editor.open("explained.yaml", RECIPE)
    assert "Edit or combine pictures" in editor.hover(uri, 5, 6)
    assert "format" in editor.hover(uri, 1, 2)
    assert "What to make" in editor.hover(uri, 7, 8)
    assert "readers" in editor.hover(editor.open("explained2.yaml", RECIPE.replace("on_eror", "on_error")), 10, 6)
