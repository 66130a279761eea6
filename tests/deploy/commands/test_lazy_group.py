"""Commands that are imported when they are called."""

import subprocess
import sys

import click
import pytest

from deploy.cli import COMMANDS, headrace


@pytest.mark.parametrize("name", COMMANDS)
def test_the_short_help_of_a_command_is_how_its_own_begins(name: str) -> None:
    command = headrace.get_command(click.Context(headrace), name)

    assert command is not None
    assert (command.name, bool(command.help)) == (name, True)
    assert (command.help or "").startswith(COMMANDS[name][1].rstrip("."))


def test_the_help_of_the_group_imports_no_command() -> None:
    program = """if True:
        import sys
        from deploy.cli import headrace
        headrace.main(["--help"], standalone_mode=False)
        print(*sys.modules, file=sys.stderr)
    """

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    listed = [line.split()[0] for line in done.stdout.split("Commands:")[1].strip().splitlines()]
    assert listed == sorted(COMMANDS)
    imported = {name for name in done.stderr.split() if name.startswith(("deploy.", "engine"))}
    assert imported <= {
        "deploy.cli",
        "deploy.commands",
        "deploy.commands.lazy_group",
        "deploy.output",
        "deploy.output.problems",
    }


def test_an_unknown_command_is_none() -> None:
    assert headrace.get_command(click.Context(headrace), "no-such-command") is None
