"""`headrace model`: models in the registry of this installation, and checks of manifests."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from deploy.admin.manifests import (
    check_manifests,
    environ_of_stack,
    models_markdown,
    schema_text,
    try_model,
    use_models,
    use_models_dir,
)
from deploy.commands import options
from deploy.output.problems import CommandFailed
from deploy.output.rows import model_row, price_text
from deploy.output.tables import printable, show
from engine.models.registry import all_models
from workers.providers.base import ignore_update

COLUMNS = ("internalName", "name", "category", "tierRequired", "enabled", "pricing", "available")
manifests_option = click.option(
    "--models-dir",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder of manifests.  [default: HEADRACE_MODELS_DIR]",
)


@click.group()
def model() -> None:
    """List, check and try the models that workflows can call."""


@model.command("list")
@options.data_dir
@manifests_option
@click.option("--markdown", is_flag=True, help="Those on disk, as a table with sources.")
@options.as_json
def list_(data_dir: Path, models_dir: Path | None, markdown: bool, as_json: bool) -> None:
    """List all models at their providers' prices, to which an account's tier adds its markup.

    With a stack, by its data directory or HEADRACE_REDIS_URL, those that admins have saved too, and
    which of all its workers can call; without one, which this shell's variables are enough for.
    """
    if markdown:
        use_models_dir(models_dir)
        print(models_markdown(), end="")
        return
    registered = use_models(models_dir, data_dir)
    _print_left_out(registered.left_out)
    rows = [model_row(model, registered.workers) for model in all_models()]
    if not as_json:
        rows = [
            {
                **row,
                "pricing": [price_text(each) for each in row["pricing"]],
                "available": row["unavailableReason"] or ("demo" if row["isDemo"] else "yes"),
            }
            for row in rows
        ]
    show(rows, as_json=as_json, columns=COLUMNS)


@model.command()
@click.argument("path", type=click.Path(path_type=Path))
def check(path: Path) -> None:
    """Check a manifest, or all in a folder: a line `file:line: reason` for all that is wrong."""
    names, faults = check_manifests(path)
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        sys.exit(1)
    if not names:
        raise CommandFailed(f"There is no manifest in {path}: their names end in .toml.")
    print(f"{len(names)} right: {', '.join(names)}")


@model.command("try")
@click.argument("name")
@click.option("-i", "--input", "words", multiple=True, metavar="FIELD=VALUE", help="A value.")
@manifests_option
@options.data_dir
@click.option("--watch", is_flag=True, help="Show a text on standard error as it comes.")
@options.as_json
def try_(
    name: str,
    words: tuple[str, ...],
    models_dir: Path | None,
    data_dir: Path,
    watch: bool,
    as_json: bool,
) -> None:
    """Call a model once from here, with this shell's keys; nobody is charged, nothing is kept."""
    _print_left_out(use_models(models_dir, data_dir).left_out)
    environ, publish_text = (
        environ_of_stack(data_dir),
        _print_piece if watch else ignore_update,
    )
    tried = try_model(name, words, environ, publish_text)
    if watch:
        print(file=sys.stderr)
    show(tried, as_json=as_json, columns=("result", "usd", "used"))


def _print_piece(piece: str) -> None:
    """Print a piece of a text without cursor movements; an empty piece restarts on a new line."""
    print(printable(piece) or "\n", end="", file=sys.stderr, flush=True)


def _print_left_out(left_out: Sequence[str]) -> None:
    for sentence in left_out:
        print(sentence, file=sys.stderr)


@model.command()
def schema() -> None:
    """Print the JSON Schema of manifests."""
    print(schema_text(), end="")
