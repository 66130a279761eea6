"""`headrace env`: environment file of a new installation."""

from pathlib import Path

import click

from deploy.admin.environment_file import make_environment, write_new


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
def env(file: Path | None) -> None:
    """Write an environment file with new secrets to a new FILE, or to standard output."""
    text = make_environment()
    if file is None:
        print(text, end="")
        return
    write_new(file, text)
    print(f"{file} has new secrets; its owner alone may read it.")
