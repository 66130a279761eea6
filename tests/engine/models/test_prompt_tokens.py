"""Upper bound of input tokens: at least the bytes of text in a request."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.models.manifest import Model
from engine.models.prompt_tokens import OWN_TOKENS, max_prompt_tokens
from engine.models.registry import find_model
from tests.support.manifests import PROMPT, model

FIELDS = (
    PROMPT
    + '[[fields]]\nname = "system"\ntype = "textarea"\n'
    + '[[fields]]\nname = "jsonSchema"\ntype = "json"\n'
    + '[[fields]]\nname = "image"\ntype = "image"\n'
    + '[[fields]]\nname = "others"\ntype = "json"\n'
    + '[[fields]]\nname = "film"\ntype = "video"\n'
)
CHAT = '[openai]\nbase_url = "https://a.example"\nmodel = "m"\n'
TWICE = 'prompt = "Say {{ prompt }}, and again {{ prompt }}"\n'
GALLERY = 'images = ["{{ image }}", "{{ others }}"]\n'
HTTP = """
[http]
base_url = "https://a.example"
path = "/run/{{ system }}"
body = { input = { prompt = "{{ prompt }}", image = "{{ image }}" } }
result = "output"
"""
URL = "https://a.example/" + "x" * 1_000


def chat(call: str = CHAT) -> Model:
    return model(fields=FIELDS, call=call)


def sent(found: Model, **values: Any) -> int | None:
    """Return the bound without the tokens that providers add."""
    most = max_prompt_tokens(found.call, found.fields, values, 1_600)
    return None if most is None else most - OWN_TOKENS


@given(prompt=st.text(max_size=200), system=st.text(max_size=200))
def test_a_text_has_no_more_tokens_than_bytes(prompt: str, system: str) -> None:
    encoded = (prompt + system).encode(errors="replace")

    assert (sent(chat(), prompt=prompt, system=system) or 0) >= len(encoded)


@pytest.mark.parametrize("text", ["héllo", "日本語", "👩‍👩‍👧", "\n\t\\"])
def test_bytes_are_counted_and_not_characters(text: str) -> None:
    assert sent(chat(), prompt=text) == len(text.encode()) + len("{}")


def test_a_text_that_is_put_in_twice_counts_twice_with_what_is_around_it() -> None:
    assert sent(chat(CHAT + TWICE), prompt="x" * 100) == 200 + len("Say , and again ") + len("{}")


def test_a_schema_counts_as_it_is_written() -> None:
    schema = {"type": "object", "properties": {"é": {"type": "string"}}}

    found = sent(chat(), prompt="", jsonSchema=schema)

    assert found == len(msgspec.json.encode(schema)) + len("{}")


def test_images_count_by_their_number_and_not_by_their_urls() -> None:
    gallery = chat(CHAT + GALLERY)

    assert sent(gallery, prompt="", image=URL, others=[URL, URL]) == 3 * 1_600 + len("{}")
    assert sent(chat(), prompt="", image=URL) == 1_600 + len("{}")


def test_a_mask_counts_as_an_image() -> None:
    masked = chat(CHAT + 'images = ["{{ image }}"]\nmask = "{{ others }}"\n')

    assert sent(masked, prompt="", image=URL, others=URL) == 2 * 1_600 + len("{}")


def test_all_of_a_request_to_any_provider_counts() -> None:
    found = sent(chat(HTTP), prompt="x" * 50, system="y" * 20, image=URL)

    written = len("/run/") + 20 + len('{"input":{"prompt":""}}') + 50
    assert found == written + 1_600


def test_of_a_film_nobody_knows() -> None:
    assert sent(chat(), prompt="x", film=URL) is None


@pytest.mark.parametrize("name", ["claude-haiku", "gpt-mini", "gemini-flash"])
def test_a_small_prompt_holds_little_of_a_model_that_ships_and_a_large_one_enough(
    name: str,
) -> None:
    found = find_model(name)
    assert found is not None

    assert found.max_usage({"prompt": "Hello"}).input_tokens < 1_100
    assert found.max_usage({"prompt": "x" * 90_000}).input_tokens > 90_000
    assert found.max_usage({"prompt": "x", "image": URL}).input_tokens > 16_000
