"""Any provider by manifest: one call, the parts of its answer, and its faults."""

from decimal import Decimal
from typing import Any

import pytest

from engine.errors.nodes import NodeFailed
from engine.models.manifest import Model
from engine.models.pricing import Usage
from tests.support.http.providers import Kept, Provider, provided
from tests.support.manifests import PROMPT
from workers.providers.model_caller import ModelCaller

FIELDS = f"""{PROMPT}
[[fields]]
name = "photo"
type = "image"

[[fields]]
name = "seconds"
type = "number"
max = 10
"""
PICTURE = "https://cdn.example/1.png"


def picture(more: str, **parts: str) -> Model:
    return provided("http", more, **({"category": "image", "fields": FIELDS} | parts))


async def call_model(models: ModelCaller, found: Model, **values: Any) -> Any:
    return (await models.call(found, {"prompt": "a cat", **values})).value


PLAIN = '\npath = "/make"\nbody = { text = "{{ prompt }}", photo = "{{ photo }}" }\nresult = "url"'


async def test_the_request_follows_the_manifest(models: ModelCaller, provider: Provider) -> None:
    provider.answers = [{"url": PICTURE}]
    more = PLAIN + '\nkey_header = "x-key"\nheaders = { x-version = "3" }'

    assert await call_model(models, picture(more)) == PICTURE

    (asked,) = provider.asked
    assert (asked.method, asked.path, asked.body) == ("POST", "/make", {"text": "a cat"})
    assert asked.headers["x-key"] == provider.environ["PROVIDER_KEY"]
    assert asked.headers["x-version"] == "3"


async def test_a_vector_is_a_text_with_its_numbers_as_json(
    models: ModelCaller, provider: Provider
) -> None:
    provider.answers = [{"data": [{"embedding": [0.5, -1, 2e-7]}]}]
    vectors = picture('\npath = "/"\nresult = "data[0].embedding"', category="text")

    assert await call_model(models, vectors) == "[0.5,-1,2e-7]"


async def test_values_in_a_path_are_encoded_and_a_get_has_no_body(
    models: ModelCaller, provider: Provider
) -> None:
    provider.answers = [{"url": PICTURE}]
    more = '\nmethod = "GET"\npath = "/make/{{ prompt }}?q={{ prompt }}"\nresult = "url"'

    await call_model(models, picture(more), prompt="../a b&c?")

    (asked,) = provider.asked
    assert (asked.method, asked.body) == ("GET", None)
    assert asked.path == "/make/..%2Fa%20b&c%3F?q=../a%20b%26c?"


async def test_a_value_that_would_lead_up_the_path_is_refused(
    models: ModelCaller, provider: Provider
) -> None:
    provider.answers = [{"url": PICTURE}]

    with pytest.raises(NodeFailed) as raised:
        await call_model(
            models, picture('\npath = "/make/{{ prompt }}"\nresult = "url"'), prompt=".."
        )

    assert raised.value.code == "template_error"
    assert provider.asked == []


async def test_numbers_may_be_wanted_as_texts(models: ModelCaller, provider: Provider) -> None:
    provider.answers = [{"url": PICTURE}]
    more = '\npath = "/"\nbody = { s = "{{ seconds }}" }\nresult = "url"\nas_text = ["seconds"]'

    await call_model(models, picture(more), seconds=5)

    assert provider.asked[0].body == {"s": "5"}


@pytest.mark.parametrize(
    ("result", "reply", "value"),
    [
        ('"url"', {"url": PICTURE}, PICTURE),
        ('"urls"', {"urls": [PICTURE, PICTURE]}, [PICTURE, PICTURE]),
        ('"data[].url"', {"data": [{"url": PICTURE}]}, PICTURE),
        ('"data[1].url"', {"data": [{"url": "no"}, {"url": PICTURE}]}, PICTURE),
        ('["here", "there"]', {"there": PICTURE}, PICTURE),
    ],
)
async def test_the_result_is_where_the_manifest_says(
    models: ModelCaller, provider: Provider, result: str, reply: Any, value: Any
) -> None:
    provider.answers = [reply]

    assert await call_model(models, picture(f'\npath = "/"\nresult = {result}')) == value


async def test_a_text_model_gives_the_text(models: ModelCaller, provider: Provider) -> None:
    provider.answers = [{"parts": ["Hel", "lo"]}]

    found = provided("http", '\npath = "/"\nresult = "parts"')

    assert await call_model(models, found) == "Hello"


async def test_data_are_stored_with_the_manifests_content_type(
    models: ModelCaller, provider: Provider, kept: Kept
) -> None:
    provider.answers = [{"data": [{"b": "aGVsbG8="}, {"b": "d29ybGQ="}]}]
    more = '\npath = "/"\nresult = "data[].b"\nmedia = "base64"\ncontent_type = "image/webp"'

    value = await call_model(models, picture(more))

    assert value == ["https://kept.example/1", "https://kept.example/2"]
    assert kept.media == [(b"hello", "image/webp"), (b"world", "image/webp")]


async def test_a_url_that_holds_its_data_is_kept(
    models: ModelCaller, provider: Provider, kept: Kept
) -> None:
    provider.answers = [{"url": "data:image/png;base64,aGVsbG8="}]

    assert await call_model(models, picture(PLAIN)) == "https://kept.example/1"
    assert kept.media == [(b"hello", "image/png")]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/relative.png",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://",
        "https://a.example/a b",
        "data:image/png;base64,***",
        "https://a.example/" + "x" * 2048,
        7,
        {"href": PICTURE},
    ],
)
async def test_an_answer_without_a_url_is_bad(
    models: ModelCaller, provider: Provider, url: Any
) -> None:
    provider.answers = [{"url": url}]

    with pytest.raises(NodeFailed) as raised:
        await call_model(models, picture(PLAIN))

    assert raised.value.code == "PROVIDER_BAD_RESPONSE"


async def test_usage_is_read_at_the_manifests_path(models: ModelCaller, provider: Provider) -> None:
    provider.answers = [{"url": PICTURE, "used": {"s": 4.5, "t": "12"}}]
    more = PLAIN + '\nusage = { seconds = "used.s", output_tokens = "used.t" }'
    pricing = (
        '[[pricing]]\nunit = "second"\nusd = "0.1"\nfield = "seconds"\n'
        '[[pricing]]\nunit = "output_token"\nusd = "0.1"\natMost = 50\n'
    )

    answer = await models.call(
        picture(more, category="video", pricing=pricing), {"prompt": "x", "seconds": 8}
    )

    assert answer.usage == Usage(calls=1, seconds=Decimal("4.5"), output_tokens=12)


async def test_pictures_are_counted_where_they_are_not_reported(
    models: ModelCaller, provider: Provider
) -> None:
    provider.answers = [{"url": [PICTURE] * 2}]
    pricing = '[[pricing]]\nunit = "image"\nusd = "0.1"\natMost = 4\n'

    answer = await models.call(picture(PLAIN, pricing=pricing), {"prompt": "x"})

    assert answer.usage.images == 2


@pytest.mark.parametrize("reported", [-1, "many", True, None, 1e300, [5]])
async def test_a_report_that_is_no_count_is_none(
    models: ModelCaller, provider: Provider, reported: Any
) -> None:
    provider.answers = [{"url": PICTURE, "t": reported}]
    pricing = '[[pricing]]\nunit = "output_token"\nusd = "0.1"\natMost = 50\n'
    more = PLAIN + '\nusage = { output_tokens = "t" }'

    answer = await models.call(picture(more, pricing=pricing), {"prompt": "x"})

    assert answer.usage.output_tokens == 50


async def test_a_status_in_the_answer_counts_where_the_manifest_says_so(
    models: ModelCaller, provider: Provider
) -> None:
    provider.answers = [{"code": 429, "msg": "Slow down"}]
    more = PLAIN + '\nstatus_code = "code"\nerror = "msg"'

    with pytest.raises(NodeFailed) as raised:
        await call_model(models, picture(more))

    assert (raised.value.code, raised.value.message) == ("PROVIDER_RATE_LIMITED", "Slow down")
