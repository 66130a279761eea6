"""Prices by the second of what is sent: measured before the call, charged, and bounded."""

import asyncio
import json
from decimal import Decimal
from typing import Any

import pytest

from deploy.stub_provider.contents import sounds
from engine.errors.nodes import NodeFailed
from engine.models.input_lengths import UNKNOWN
from engine.models.manifest import Model
from engine.models.pricing import cost_micro_usd
from engine.models.registry import use_models
from engine.nodes.support.base import HttpAnswer, HttpCall
from tests.support.http.providers import MODEL_KEYS, Kept, calling, provided
from tests.support.models.recorded_checkpoints import RecordedCheckpoints
from tests.support.models.speech_models import AUDIO_FIELD, PER_INPUT_SECOND, transcriber
from tests.support.workers.job_workers import poll_quickly
from workers.providers.base import ModelAnswer, ModelCall
from workers.providers.model_caller import ModelCaller

OURS, FOREIGN = "https://headrace.example/assets/a1", "https://cdn.example/1.wav"
WAV, LONG = sounds.play("a", 1_500), sounds.play("a", 60_001)
PNG = b"\x89PNG\r\n\x1a\n"
DONE = {"id": "j1", "status": "done", "said": "Hello"}
SENDS_URL = 'path = "/listen"\nresult = "said"\nbody = { url = "{{ audio }}" }\n'


class WayOut:
    """Notes calls, and answers."""

    def __init__(self) -> None:
        self.calls: list[HttpCall] = []
        self.status = 200
        self.more: dict[str, Any] = {}

    async def fetch(self, call: HttpCall) -> HttpAnswer:
        self.calls.append(call)
        usage = {"input_tokens": 14, "seconds": 99}
        reply = {"text": "Hello", "said": "Hello", "usage": usage, **self.more}
        return HttpAnswer(status=self.status, headers={}, body=json.dumps(reply).encode())


class Elsewhere:
    """Has a file at each foreign URL, another one at each look."""

    def __init__(self, *files: bytes) -> None:
        self.files = list(files)

    async def fetch(self, url: str) -> bytes:
        return self.files.pop(0)


@pytest.fixture
def way_out() -> WayOut:
    return WayOut()


@pytest.fixture
def caller(way_out: WayOut, kept: Kept) -> ModelCaller:
    kept.own[("acc", OURS)] = WAV
    return calling(way_out, {"PROVIDER_URL": "https://a.example", **MODEL_KEYS}, kept)


@pytest.fixture
def priced() -> Model:
    return transcriber(pricing=PER_INPUT_SECOND)


def by_url(**more: Any) -> Model:
    return provided("http", SENDS_URL, fields=AUDIO_FIELD, pricing=PER_INPUT_SECOND, **more)


async def hear(caller: ModelCaller, found: Model, *files: bytes, **values: Any) -> ModelAnswer:
    elsewhere = Elsewhere(*files)
    model_call = ModelCall(checkpoints=RecordedCheckpoints(), fetch_media=elsewhere.fetch)
    return await caller.call(found, values, model_call)


async def refused(caller: ModelCaller, found: Model, *files: bytes, **values: Any) -> NodeFailed:
    with pytest.raises(NodeFailed) as raised:
        await hear(caller, found, *files, **values)
    return raised.value


async def test_an_asset_is_charged_by_its_length_on_record(
    caller: ModelCaller, kept: Kept, priced: Model
) -> None:
    kept.lengths[OURS] = Decimal("2.25")

    answer = await hear(caller, priced, audio=OURS)

    assert answer.usage.input_seconds == Decimal("2.25")
    assert cost_micro_usd(priced.pricing, answer.usage) == 22_500


@pytest.mark.parametrize(
    ("more", "charged"),
    [
        ({"duration": 50.5}, "50.5"),
        ({"duration": "50.5"}, "50.5"),
        ({"duration": 600}, "60"),
        ({"usage": {"type": "duration", "seconds": 51}}, "51"),
        ({"duration": 3}, "2.25"),
        ({"duration": 0.1}, "2.25"),
        ({"duration": "long"}, "2.25"),
        ({"duration": -1}, "2.25"),
    ],
)
async def test_a_header_that_tells_less_than_the_provider_heard_is_not_believed(
    caller: ModelCaller,
    kept: Kept,
    way_out: WayOut,
    priced: Model,
    more: dict[str, Any],
    charged: str,
) -> None:
    kept.lengths[OURS] = Decimal("2.25")
    way_out.more = more

    answer = await hear(caller, priced, audio=OURS)

    assert answer.usage.input_seconds == Decimal(charged)


async def test_a_sound_elsewhere_is_loaded_once_and_charged_by_its_own_length(
    caller: ModelCaller, way_out: WayOut, priced: Model
) -> None:
    answer = await hear(caller, priced, WAV, audio=FOREIGN)  # a second look would find nothing

    assert answer.usage.input_seconds == Decimal("1.5")
    assert WAV in (way_out.calls[0].body or b"")


async def test_a_provider_that_takes_urls_gets_the_sound_that_was_measured(
    caller: ModelCaller, way_out: WayOut
) -> None:
    answer = await hear(caller, by_url(), WAV, audio=FOREIGN)

    assert json.loads(way_out.calls[0].body or b"")["url"].startswith("data:audio/wav;base64,")
    assert answer.usage.input_seconds == Decimal("1.5")


@pytest.mark.parametrize("file", [b"<html>", PNG, b"OggS\x00", b""])
async def test_a_length_that_cannot_be_read_is_no_call(
    caller: ModelCaller, way_out: WayOut, priced: Model, file: bytes
) -> None:
    failure = await refused(caller, priced, file, audio=FOREIGN)

    assert (failure.code, way_out.calls) == ("invalid_value", [])
    assert failure.message.startswith(f"'audio' {UNKNOWN}")


@pytest.mark.parametrize("length", [None, Decimal(0)])
async def test_an_asset_without_a_length_is_no_call(
    caller: ModelCaller, way_out: WayOut, kept: Kept, priced: Model, length: Decimal | None
) -> None:
    kept.lengths |= {} if length is None else {OURS: length}

    failure = await refused(caller, priced, audio=OURS)

    assert (failure.code, way_out.calls) == ("invalid_value", [])


async def test_more_than_the_price_allows_is_no_call(
    caller: ModelCaller, way_out: WayOut, kept: Kept, priced: Model
) -> None:
    kept.lengths[OURS] = Decimal("60.001")

    failures = [
        await refused(caller, priced, audio=OURS),
        await refused(caller, priced, LONG, audio=FOREIGN),
    ]

    assert [each.code for each in failures] == ["invalid_value"] * 2
    assert failures[0].message == failures[1].message
    assert failures[0].message == "'audio' is too long: the model takes 60 s at most, not 60.001 s"
    assert not way_out.calls


async def test_without_such_a_price_nothing_is_measured(
    caller: ModelCaller, way_out: WayOut
) -> None:
    answer = await hear(caller, transcriber(), b"OggS\x00 of an unknown length", audio=FOREIGN)

    assert (answer.usage.input_seconds, len(way_out.calls)) == (0, 1)


JOB = """
path = "/jobs"
result = "said"
[http.body]
url = "{{ audio }}"
[http.job]
id = "id"
path = "/jobs/{{ job }}"
status = "status"
done = ["done"]
failed = ["failed"]
"""


async def test_a_job_that_another_worker_goes_on_with_is_charged_by_the_length_on_record(
    way_out: WayOut, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    poll_quickly(monkeypatch)
    model = provided("http", JOB, fields=AUDIO_FIELD, pricing=PER_INPUT_SECOND)
    checkpoints, replies = RecordedCheckpoints(), [{"id": "j1"}, None, DONE]

    async def fetch(call: HttpCall) -> HttpAnswer:
        reply = replies.pop(0)
        if reply is None:
            raise asyncio.CancelledError  # the worker dies
        return HttpAnswer(status=200, headers={}, body=json.dumps(reply).encode())

    way_out.fetch = fetch  # type: ignore[method-assign]
    models = calling(way_out, {"PROVIDER_URL": "https://a.example", **MODEL_KEYS}, kept)
    first = ModelCall(checkpoints=checkpoints, fetch_media=Elsewhere(WAV).fetch)
    with pytest.raises(asyncio.CancelledError):
        await models.call(model, {"audio": FOREIGN}, first)

    second = ModelCall(checkpoints=checkpoints, fetch_media=Elsewhere().fetch)
    answer = await models.call(model, {"audio": FOREIGN}, second)

    assert (answer.value["text"], answer.usage.input_seconds) == ("Hello", Decimal("1.5"))


async def test_a_fallback_is_charged_by_the_length_at_its_own_price(
    caller: ModelCaller, way_out: WayOut, kept: Kept
) -> None:
    kept.lengths[OURS] = Decimal(2)
    cheap = PER_INPUT_SECOND.replace("0.01", "0.003")
    second = transcriber(name="second", pricing=cheap)
    first = by_url(head='fallback = ["second"]')

    async def fetch(call: HttpCall) -> HttpAnswer:
        way_out.status = 503 if call.url.endswith("/listen") else 200
        return await WayOut.fetch(way_out, call)

    way_out.fetch = fetch  # type: ignore[method-assign]
    with use_models([first, second]):
        answer = await hear(caller, first, audio=OURS)

    assert (answer.micro_usd, answer.value["text"]) == (6_000, "Hello")
