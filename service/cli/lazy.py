"""A group of commands that imports a command only when it is called: each start pays for what it does."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class LazyGroup(click.Group):
    """A group whose commands are named, told of in one line, and imported when they are called.

    Parameters
    ----------
    package : str
        Where the modules of the commands are.
    lazy : mapping of str to (str, str)
        By the command's name: where it stands, as ``module:attribute``, and what ``--help`` says of it: the
        first sentence of the command's docstring, so that no command is imported for it.
    **settings : Any
        As ``click.Group`` takes them.
    """

    def __init__(self, *, package: str, lazy: Mapping[str, tuple[str, str]], **settings: Any) -> None:
        super().__init__(**settings)
        self._package = package
        self._lazy = dict(lazy)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in alphabetical order."""
        return sorted(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command, imported now if it was not before; None if there is none of this name."""
        if cmd_name not in self._lazy:
            return None
        module, _, attribute = self._lazy[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(f"{self._package}.{module}"), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with their lines, without importing one."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self._lazy[name][1]) for name in self.list_commands(ctx)])
