"""`zenflow completion SHELL`: the script that completes words."""

from __future__ import annotations

import click

from zenflow.cli.terminal.environment import COMPLETION_VARIABLE


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> int:
    """Print the script that completes zenflow's words in SHELL.

    \b
    bash: eval "$(zenflow completion bash)"        in ~/.bashrc
    zsh:  eval "$(zenflow completion zsh)"         in ~/.zshrc
    fish: zenflow completion fish | source         in ~/.config/fish/config.fish
    """
    from click.shell_completion import get_completion_class

    from zenflow.cli.group import group

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(group, {}, "zenflow", COMPLETION_VARIABLE).source())
    return 0
