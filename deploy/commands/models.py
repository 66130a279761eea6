"""`headrace model`: what the registry of this installation has, and whether manifests are right."""

import sys
from pathlib import Path

import click

from deploy.commands import options
from deploy.output import show

COLUMNS = ("internalName", "name", "category", "tierRequired", "enabled", "pricing")
manifests_option = click.option(
    "--models-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder of manifests.  [default: HEADRACE_MODELS_DIR]",
)


@click.group()
def model() -> None:
    """List, check and try the models that workflows can call."""


@model.command("list")
@options.ignored_data_dir
@manifests_option
@click.option("--markdown", is_flag=True, help="As a table for documentation, with sources.")
@options.as_json
def list_(models_dir: Path | None, markdown: bool, as_json: bool) -> None:
    """List all models at their providers' prices, to which an account's tier adds its markup."""
    from deploy.manifests import models_markdown, use_models_dir
    from deploy.records import model_row, price_text
    from engine.models.registry import all_models

    use_models_dir(models_dir)
    if markdown:
        print(models_markdown(), end="")
        return
    rows = [model_row(model) for model in all_models()]
    if not as_json:
        rows = [{**row, "pricing": [price_text(each) for each in row["pricing"]]} for row in rows]
    show(rows, as_json=as_json, columns=COLUMNS)


@model.command()
@click.argument("path", type=click.Path(path_type=Path))
def check(path: Path) -> None:
    """Check a manifest, or all in a folder: a line `file:line: reason` for all that is wrong."""
    from deploy.manifests import check_manifests

    names, faults = check_manifests(path)
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        sys.exit(1)
    print(f"{len(names)} right: {', '.join(names)}")


@model.command("try")
@click.argument("name")
@click.option("-i", "--input", "words", multiple=True, metavar="FIELD=VALUE", help="A value.")
@manifests_option
@options.data_dir
@options.as_json
def try_(
    name: str, words: tuple[str, ...], models_dir: Path | None, data_dir: Path, as_json: bool
) -> None:
    """Call a model once from here, with this shell's keys; nobody is charged, nothing is kept."""
    from deploy.manifests import environ_beside, try_model, use_models_dir

    use_models_dir(models_dir)
    show(
        try_model(name, words, environ_beside(data_dir)),
        as_json=as_json,
        columns=("result", "usd", "used"),
    )


@model.command()
def schema() -> None:
    """Print the JSON Schema of manifests."""
    from deploy.manifests import schema_text

    print(schema_text(), end="")
