"""Address of a model: a base URL, a variable that overrides it, or the variable alone."""

from typing import Any

import pytest

from engine.models.dialects.endpoint import ProviderEndpoint
from engine.models.manifest import ManifestError
from tests.support.manifests import model


def endpoint(*lines: str) -> ProviderEndpoint:
    call: Any = model(call="\n".join(("[openai]", 'model = "m"', *lines))).call
    found: ProviderEndpoint = call.endpoint
    return found


def test_a_variable_alone_may_say_where_a_model_is() -> None:
    found = endpoint('base_url_env = "A_URL"', 'setup = "Start it."')

    assert (found.base_url, found.base_url_env, found.setup) == ("", "A_URL", "Start it.")


def test_a_model_elsewhere_keeps_its_connections_and_a_variable_names_its_key() -> None:
    found = endpoint('base_url = "https://a.example/v1"', 'api_key_env = "A_KEY"')

    assert found.keep_alive
    assert (found.base_url, found.api_key_env) == ("https://a.example/v1", "A_KEY")


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([], "openai.base_url is missing"),
        (['base_url_env = "A_URL"'], "openai.base_url is missing"),
        (['setup = "Start it."'], "openai.base_url_env is missing"),
        (
            ['base_url = "https://a.example"', "keep_alive = 1"],
            "openai.keep_alive must be true or false",
        ),
    ],
)
def test_what_says_too_little_is_refused(lines: list[str], reason: str) -> None:
    with pytest.raises(ManifestError) as caught:
        endpoint(*lines)

    assert [fault.reason for fault in caught.value.faults] == [reason]
