"""Every command: its module, its line in `--help` and in the shell's completion, its group. Literal, so that the page
costs no import. It is at most 80 columns wide: the terminal is not asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple


class CommandEntry(NamedTuple):
    module: str
    line: str
    group: str


EVERYDAY = "Everyday"
MOST_COLUMNS = 80
_BETWEEN, _GOES_ON = " · ", " ·"

COMMANDS: Mapping[str, CommandEntry] = {
    "init": CommandEntry("zenflow.cli.commands.init", "Make a first workspace that works", EVERYDAY),
    "validate": CommandEntry("zenflow.cli.commands.validate", "Check a recipe; nothing is sent that costs", EVERYDAY),
    "plan": CommandEntry("zenflow.cli.commands.plan", "Show what a run would do and cost", EVERYDAY),
    "run": CommandEntry("zenflow.cli.commands.run", "Plan, ask, and do it within the budget", EVERYDAY),
    "resume": CommandEntry("zenflow.cli.commands.resume", "Go on with a run; nothing is paid twice", EVERYDAY),
    "list": CommandEntry("zenflow.cli.commands.list", "Print the recipes that can be run here", "Look"),
    "redo": CommandEntry("zenflow.cli.commands.redo", "Make one result again, reuse the rest", "Look"),
    "runs": CommandEntry("zenflow.cli.commands.runs", "The runs of this workspace, newest first", "Look"),
    "show": CommandEntry("zenflow.cli.commands.show", "How a run stands, from its journal", "Look"),
    "stop": CommandEntry("zenflow.cli.commands.stop", "Drain a run from another terminal", "Look"),
    "fetch": CommandEntry("zenflow.cli.commands.fetch", "Everything that a run has paid for, on disk", "Look"),
    "why": CommandEntry("zenflow.cli.commands.why", "Why an instance is made new, or kept", "Look"),
    "diff": CommandEntry("zenflow.cli.commands.diff", "What a change of a recipe costs", "Look"),
    "ui": CommandEntry("zenflow.cli.commands.ui", "Show this workspace in a browser", "Look"),
    "report": CommandEntry("zenflow.cli.commands.report", "Write a run as one HTML page", "Look"),
    "export": CommandEntry("zenflow.cli.commands.export", "Pack the files of a run into one ZIP", "Look"),
    "sheet": CommandEntry("zenflow.cli.commands.sheet", "Write a contact sheet of a step", "Look"),
    "graph": CommandEntry("zenflow.cli.commands.graph", "A recipe's steps as a graph", "Look"),
    "reconcile": CommandEntry(
        "zenflow.cli.commands.reconcile", "Decide what became of a request without an answer", "Money"
    ),
    "ledger": CommandEntry("zenflow.cli.commands.ledger", "What a run was charged, submission by submission", "Money"),
    "account": CommandEntry("zenflow.cli.commands.account", "Who is signed in, and the balance", "Money"),
    "prices": CommandEntry("zenflow.cli.commands.prices", "What one call of a tool costs, model by model", "Money"),
    "doctor": CommandEntry("zenflow.cli.commands.doctor", "Is everything as it should be", "Service"),
    "fmt": CommandEntry("zenflow.cli.commands.fmt", "Format a recipe; comments stay", "Author"),
    "explain": CommandEntry(
        "zenflow.cli.commands.explain", "What a code such as ZF203 means, and what to do", "Author"
    ),
    "schema": CommandEntry("zenflow.cli.commands.schema", "The recipe's schema, with the service's tools", "Author"),
    "login": CommandEntry("zenflow.cli.commands.login", "Sign in at the service", "Service"),
    "logout": CommandEntry("zenflow.cli.commands.logout", "Forget the sign-in", "Service"),
    "repo": CommandEntry("zenflow.cli.commands.repo", "Use versioned recipes from git repositories", "Author"),
    "trust": CommandEntry("zenflow.cli.commands.trust", "Confirm what a received file asks for", "Service"),
    "test": CommandEntry("zenflow.cli.commands.test", "Run a recipe's tests; nothing is spent", "Author"),
    "tools": CommandEntry(
        "zenflow.cli.commands.tools", "The service's tools; one tool's parameters and models", "Service"
    ),
    "presets": CommandEntry(
        "zenflow.cli.commands.presets", "The service's presets; one as a step of a recipe", "Service"
    ),
    "assets": CommandEntry("zenflow.cli.commands.assets", "Fetch assets by their ids", "Service"),
    "tasks": CommandEntry("zenflow.cli.commands.tasks", "The account's tasks, whoever made them", "Service"),
    "sandbox": CommandEntry("zenflow.cli.commands.sandbox", "Serve the sandbox over HTTP", "Service"),
    "config": CommandEntry("zenflow.cli.commands.config", "Each setting with its value and origin", "Service"),
    "completion": CommandEntry(
        "zenflow.cli.commands.completion", "The script that completes words in your shell", "Service"
    ),
    "version": CommandEntry("zenflow.cli.commands.version", "The version, and what it runs on", "Service"),
}

_OPENING = """\
zenflow runs a recipe: pictures and video from ZenCreator, priced beforehand,
within a budget.

Usage: zenflow COMMAND [WORDS] [OPTIONS]
"""

_CLOSING = """\
`zenflow COMMAND --help` tells the rest. A first try, free of charge:

  zenflow init my-shoot && cd my-shoot && zenflow run first"""


def groups() -> Iterator[tuple[str, list[str]]]:
    """Group by group in reading order, the commands of each."""
    by_group: dict[str, list[str]] = {}
    for name, entry in COMMANDS.items():
        by_group.setdefault(entry.group, []).append(name)
    yield from by_group.items()


def help_page() -> str:
    """The page of `zenflow --help`: the everyday commands in full, the others by name."""
    return "\n".join([_OPENING, *_everyday(), "", *_others(), "", *_options(), "", _CLOSING])


def _everyday() -> list[str]:
    names = [name for name, entry in COMMANDS.items() if entry.group == EVERYDAY]
    return [f"  {name:<10} {COMMANDS[name].line}" for name in names]


def _others() -> list[str]:
    return [line for group, names in groups() if group != EVERYDAY for line in _named(group + ":", names)]


def _named(title: str, names: list[str]) -> Iterator[str]:
    """The names behind their title, on as many lines as they need."""
    line = f"  {title:<10} {names[0]}"
    for name in names[1:]:
        if len(line) + len(_BETWEEN) + len(name) + len(_GOES_ON) > MOST_COLUMNS:
            yield line + _GOES_ON
            line = f"{'':<13}{name}"
        else:
            line += _BETWEEN + name
    yield line


def _options() -> list[str]:
    return ["Options:", "  --version  The version alone", "  --help     This page, or a command's"]
