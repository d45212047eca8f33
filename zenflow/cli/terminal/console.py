"""Where words go: data to stdout, talk to stderr, and how they may look there. Knows nothing of what is said.

A reader that has gone (`zenflow runs | head -1`) is no reason to stop a run that is being paid for: writing to a closed
pipe is quiet from then on. An answer that a full disk does not take is told, with status 2; talk that it does not take is lost.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TextIO

from zenflow.cli.terminal.style import COLOUR, PLAIN, Style, for_terminal
from zenflow.errors import UsageError
from zenflow.foreign_text import visible_json

NOT_WRITTEN = "ZF033"
LEAST_WIDTH, MOST_WIDTH = 60, 160
LEAST_OF_TEXT = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """How this command line wants to be answered."""

    json: bool = False
    quiet: bool = False
    no_color: bool = False

    def info(self, text: str = "") -> None:
        """Talk: to stderr, unless `--quiet`."""
        if not self.quiet:
            self.error(text)

    def error(self, text: str) -> None:
        """Talk that `--quiet` does not silence: errors and questions."""
        _write(sys.stderr, for_terminal(text) + "\n")

    def ask(self, question: str) -> None:
        """A question, the cursor behind it."""
        _write(sys.stderr, for_terminal(question))

    def show(self, text: str, picture: str = "") -> None:
        """The result for people, to stdout; with `--json` the document stands there instead.

        `picture`: escapes of our own that draw one, sent as they are.
        """
        if not self.json:
            _answer(for_terminal(text) + picture)

    def document(self, status: str, error: Mapping[str, Any] | None, body: Mapping[str, Any]) -> None:
        """The one JSON document on stdout, when it was asked for."""
        if self.json:
            _answer(envelope(status, error, body))

    @property
    def style(self) -> Style:
        """How stdout may be coloured."""
        return _style(sys.stdout, self.no_color)

    @property
    def message_style(self) -> Style:
        return _style(sys.stderr, self.no_color)

    @property
    def width(self) -> int:
        """Columns of the terminal, 80 where there is none."""
        return max(LEAST_WIDTH, self.text_width)

    @property
    def text_width(self) -> int:
        """The same for text that can be as narrow as the terminal is; tables cannot."""
        return max(LEAST_OF_TEXT, min(shutil.get_terminal_size((80, 24)).columns, MOST_WIDTH))

    @property
    def draws(self) -> bool:
        """Whether progress may be drawn in place on stderr."""
        return not self.quiet and _is_terminal(sys.stderr) and os.environ.get("TERM") != "dumb"

    @property
    def can_ask(self) -> bool:
        return _is_terminal(sys.stdin) and _is_terminal(sys.stderr)


def envelope(status: str, error: Mapping[str, Any] | None, body: Mapping[str, Any]) -> str:
    """A document of ours as text: `format`, `status` and `error` come first."""
    document = {"format": 1, "status": status, "error": error, **body}
    return visible_json(json.dumps(document, indent=2, ensure_ascii=False))


def _style(stream: TextIO | None, no_color: bool) -> Style:
    plain = no_color or bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    return PLAIN if plain or not _is_terminal(stream) else COLOUR


def _is_terminal(stream: TextIO | None) -> bool:
    """`stream` is None where the process was started with it closed (`>&-`)."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def _answer(text: str) -> None:
    """To stdout. Raises UsageError when it cannot be written."""
    error = _write(sys.stdout, text + "\n")
    if error is not None:
        raise UsageError(NOT_WRITTEN, f"The answer cannot be written: {error.strerror or error}.", "Send it elsewhere.")


def _write(stream: TextIO | None, text: str) -> OSError | None:
    """What kept the text from being written, if it is worth a word."""
    if stream is None:
        return None
    try:
        stream.write(text)
        stream.flush()
    except UnicodeEncodeError:
        encoding = stream.encoding or "ascii"
        return _write(stream, text.encode(encoding, "replace").decode(encoding))
    except BrokenPipeError:
        _silence(stream)
    except OSError as error:  # a full disk, a terminal that is gone
        _silence(stream)
        return error
    except ValueError:  # closed by an earlier write
        return None
    return None


def _silence(stream: TextIO) -> None:
    """Let later writes, and the interpreter's own flush at the end, go nowhere."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except (OSError, ValueError):
        return
