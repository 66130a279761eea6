"""JSON Schema of manifests: equal to the published file, consistent with the parser."""

import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from deploy.admin.manifests import schema_text
from engine.models.schema import manifest_schema
from tests.support.manifests import manifest

PUBLISHED = Path(__file__).parents[3] / "docs" / "reference" / "model-manifest.schema.json"
SHIPPED = sorted(
    (file for file in resources.files("engine.models").joinpath("shipped").iterdir()),
    key=lambda file: file.name,
)


def is_valid(text: str) -> bool:
    table: dict[str, Any] = tomllib.loads(text)
    return jsonschema_rs.validator_for(manifest_schema()).is_valid(table)


def test_the_published_schema_is_the_one_of_today() -> None:
    assert PUBLISHED.read_text() == schema_text()


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.name)
def test_every_manifest_that_ships_fits_the_schema(file: Path) -> None:
    assert is_valid(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "text",
    [
        manifest(tier="gold"),
        manifest(head="unknown = 1\n"),
        manifest(call=""),
        manifest(call='[http]\nbase_url = "https://a.example"\npath = "/"'),
        manifest(call='[openai]\nbase_url = "https://a.example"\nmodel = "m"\nmodle = "m"'),
        manifest(call='[openai]\nbase_url_env = "A_URL"\nmodel = "m"'),
        manifest(call='[openai]\nsetup = "Start it."\nmodel = "m"'),
        manifest(head="[limits]\nconcurrency = 0\n"),
    ],
)
def test_what_the_parser_refuses_the_schema_refuses(text: str) -> None:
    assert not is_valid(text)
