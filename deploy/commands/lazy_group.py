"""Group of commands whose modules are imported when one of them is called."""

import gc
import importlib
from collections.abc import Mapping
from typing import Any

import click


class LazyGroup(click.Group):
    """Group that lists its lazy commands, beside those of its module, without importing them.

    `lazy` has, by the name of each command, its place as `module:attribute` in this package and its
    short help.
    """

    def __init__(self, *args: Any, lazy: Mapping[str, tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, sorted."""
        return sorted({*self._lazy, *self.commands})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of that name, imported if it is lazy; None for an unknown one."""
        if cmd_name not in self._lazy:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = self._lazy[cmd_name][0].partition(":")
        gc.disable()  # imports leave hardly any garbage
        try:
            command: click.Command = getattr(
                importlib.import_module(f".{module}", __package__), attribute
            )
        finally:
            gc.freeze()
            gc.enable()
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands with their short help."""
        helps = {name: text for name, (_, text) in self._lazy.items()}
        helps |= {name: each.get_short_help_str(80) for name, each in self.commands.items()}
        with formatter.section("Commands"):
            formatter.write_dl(sorted(helps.items()))
