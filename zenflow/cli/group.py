"""The group of all commands. Loads a command's module when that command is asked for, and no other.

Knows the list in `page`, nothing of what a command does.
"""

from __future__ import annotations

from importlib import import_module

import click
from click.shell_completion import CompletionItem

from zenflow import __version__
from zenflow.cli.command_index import COMMANDS, help_page
from zenflow.suggest import did_you_mean


class UnknownCommand(click.UsageError):
    """A word that names no command."""

    def __init__(self, word: str, hint: str) -> None:
        super().__init__(f"There is no command `{word}`.")
        self.hint = hint


class ZenflowGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command = import_module(entry.module).command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if not ctx.resilient_parsing and args[0] not in COMMANDS:
            near = did_you_mean(args[0], COMMANDS)
            raise UnknownCommand(args[0], near or "`zenflow --help` lists the commands.")
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands with their lines of the page: click would load every module and cut the first sentence of its help."""
        named = [(name, entry.line) for name, entry in COMMANDS.items() if name.startswith(incomplete)]
        return [CompletionItem(name, help=line) for name, line in named] + click.Command.shell_complete(
            self, ctx, incomplete
        )

    def get_help(self, ctx: click.Context) -> str:
        return help_page()


group = ZenflowGroup(
    "zenflow",
    context_settings={"help_option_names": ["--help", "-h"], "max_content_width": 100},
    no_args_is_help=True,
    params=[
        click.Option(
            ["--version"],
            is_flag=True,
            expose_value=False,
            is_eager=True,
            help="The version alone.",
            callback=lambda ctx, _option, asked: _print_version(ctx) if asked else None,
        )
    ],
)


def _print_version(ctx: click.Context) -> None:
    click.echo(f"zenflow {__version__}")
    ctx.exit()
