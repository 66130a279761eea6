"""`headrace model`: what the registry of this installation has."""

import click

from deploy.commands import options
from deploy.output import show

COLUMNS = ("internalName", "name", "category", "tierRequired", "enabled", "pricing")


@click.group()
def model() -> None:
    """List the models that workflows can call."""


@model.command("list")
@options.ignored_data_dir
@options.as_json
def list_(as_json: bool) -> None:
    """List all models at their providers' prices, to which an account's tier adds its markup."""
    from deploy.records import model_row, price_text
    from engine.models.registry import all_models

    rows = [model_row(model) for model in all_models()]
    if not as_json:
        rows = [{**row, "pricing": [price_text(each) for each in row["pricing"]]} for row in rows]
    show(rows, as_json=as_json, columns=COLUMNS)
