"""Manifests as admins read them: keys that an operator has put into headers are hidden."""

import pytest

from engine.models.disclosure import ALL_HIDDEN, HIDDEN, disclosed_manifest
from tests.support.manifests import manifest, model

SECRET = "sk-0123456789"
CALL = '[openai]\nbase_url = "https://a.example/v1"\nmodel = "m"\n'


def headers(table: str) -> str:
    return f"{CALL}headers = {{ {table} }}\n"


@pytest.mark.parametrize("call", ["", CALL, headers('"X-Region" = "eu-1"')])
def test_a_manifest_without_keys_is_read_as_it_is(call: str) -> None:
    parts = {"call": call} if call else {}

    assert disclosed_manifest(model(**parts)) == manifest(**parts)


@pytest.mark.parametrize("name", ["Authorization", "x-goog-api-key", "X-Auth-Token", "cookie"])
@pytest.mark.parametrize("quote", ['"', "'", '"""'])
def test_the_value_of_a_header_that_may_be_a_key_is_hidden(name: str, quote: str) -> None:
    found = model(call=headers(f"{name} = {quote}{SECRET}{quote}, X-Region = 'eu-1'"))

    shown = disclosed_manifest(found)

    assert SECRET not in shown
    assert shown == found.manifest.replace(SECRET, HIDDEN)


def test_a_short_key_hides_nothing_else() -> None:
    found = model("own1", call=headers('x-key = "1"'))

    assert disclosed_manifest(found) == found.manifest.replace('"1"', f'"{HIDDEN}"')


def test_a_manifest_whose_key_is_written_with_escapes_is_not_shown() -> None:
    found = model(call=headers('x-key = "sk\\u002d0123456789"'))

    assert disclosed_manifest(found) == ALL_HIDDEN
