"""`zenflow repo …`: the repositories of recipes that this workspace uses."""

from __future__ import annotations

from importlib import import_module

import click

from zenflow.suggest import did_you_mean

SUBCOMMANDS = {
    "add": "Name a repository and pin it to a commit",
    "list": "Print repositories, commits and newer tags",
    "lock": "Pin what zenflow.toml names and the lock lacks",
    "update": "Show what an update changes and costs, then ask",
    "verify": "Compare the cache and copies with the lock",
    "vendor": "Copy a repository into vendor/",
    "prune": "Remove what no workspace here needs from the cache",
    "check": "Check a repository of recipes before its release",
}


class RepoGroup(click.Group):
    """Loads the module of a subcommand when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in SUBCOMMANDS:
            return None
        command = import_module(f"zenflow.cli.commands.repo_{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if not ctx.resilient_parsing and args[0] not in SUBCOMMANDS:
            hint = did_you_mean(args[0], SUBCOMMANDS) or "`zenflow repo --help` lists the subcommands."
            ctx.fail(f"unknown command: `repo {args[0]}`. {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(SUBCOMMANDS.items()))


@click.group("repo", cls=RepoGroup, invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """Use versioned recipes from git repositories, pinned in zenflow.lock."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
