"""Memory for media: calls wait for it in turn, and release it however they end."""

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from engine.errors.nodes import NodeFailed
from engine.models.manifest import Model
from engine.process.byte_semaphore import ByteSemaphore
from tests.support.eventually import eventually
from tests.support.http.providers import Kept, Provider, calling, provided, serving_provider
from tests.support.manifests import PROMPT
from workers.outbound.client import Egress
from workers.providers.base import ModelCall, NoCheckpoints, StoredMedia
from workers.providers.media import MAX_SENT_BYTES
from workers.providers.media_memory import MEGABYTE, MediaReservation
from workers.providers.model_caller import ModelCaller

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(4 * MEGABYTE)
DATA_URL = f"data:image/png;base64,{base64.b64encode(PICTURE).decode()}"
OWN = "https://kept.example/own"
SEEING = PROMPT + '[[fields]]\nname = "image"\ntype = "image"\n'
IMAGES = '[[fields]]\nname = "image"\ntype = "image"\nmax = 16\n'
SEES = '\nmodel = "m"\nimages = "{{ image }}"\n'
REPLY = {"choices": [{"message": {"content": "A cat"}}]}


# -- reservations --------------------------------------------------------------------------------


async def test_a_call_that_finds_no_memory_in_time_fails_and_may_be_made_again() -> None:
    semaphore = ByteSemaphore(10)
    await semaphore.acquire(8, 1)

    with pytest.raises(NodeFailed) as gave_up:
        await MediaReservation(semaphore).acquire(9, 0.01)

    assert (gave_up.value.code, gave_up.value.retryable) == ("resource_exhausted", True)
    assert semaphore.available == 2


async def test_a_call_that_needs_more_than_all_memory_is_refused_in_words() -> None:
    semaphore = ByteSemaphore(10 * MEGABYTE)
    reservation = MediaReservation(semaphore)

    with pytest.raises(NodeFailed, match="over the 10 MB that a worker has for all"):
        await reservation.acquire(11 * MEGABYTE, 1)
    with pytest.raises(NodeFailed, match="over the 10 MB"):
        reservation.resize(11 * MEGABYTE)

    reservation.release()
    assert semaphore.available == semaphore.limit


# -- calls ----------------------------------------------------------------------------------------


class Slow(Provider):
    """Holds its answers back until a test opens it."""

    def __init__(self) -> None:
        super().__init__(answers=[REPLY])
        self.opened = asyncio.Event()
        self.waiting = 0
        self.most = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        answer = await super().answer(request)
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        await self.opened.wait()
        self.waiting -= 1
        return answer

    async def count(self) -> int:
        """Of calls that wait."""
        return self.waiting


@pytest.fixture
def semaphores(monkeypatch: pytest.MonkeyPatch) -> list[ByteSemaphore]:
    """Limit the memory to two such pictures; return the semaphores of each caller."""
    made = list[ByteSemaphore]()

    def make(most: int) -> ByteSemaphore:
        made.append(ByteSemaphore(min(most, MAX_SENT_BYTES * 3 // 2)))
        return made[-1]

    monkeypatch.setattr("workers.providers.model_caller.ByteSemaphore", make)
    return made


def seeing() -> Model:
    return provided("openai", SEES, fields=SEEING)


def call_model(models: ModelCaller, url: str, seconds: float = 20) -> Any:
    deadline = asyncio.get_running_loop().time() + seconds
    model_call = ModelCall(checkpoints=NoCheckpoints(), deadline=deadline)
    return models.call(seeing(), {"prompt": "What is it?", "image": url}, model_call)


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
async def slowly(
    egress: Egress, slow: Slow, semaphores: list[ByteSemaphore]
) -> AsyncIterator[ModelCaller]:
    """Call the slow provider with two pictures of the account's own."""
    kept = Kept(own={("", OWN): PICTURE})
    async with serving_provider(slow):
        yield calling(egress, slow.environ, kept)


@pytest.mark.parametrize("url", [OWN, DATA_URL], ids=["own", "as data"])
async def test_calls_with_large_media_wait_until_others_have_ended(
    slowly: ModelCaller, slow: Slow, semaphores: list[ByteSemaphore], url: str
) -> None:
    calls = [asyncio.create_task(call_model(slowly, url)) for _ in range(8)]
    most = 2 if url == OWN else 5
    await eventually(slow.count, lambda waiting: waiting == most)

    slow.opened.set()
    answers = await asyncio.gather(*calls)

    assert [each.value for each in answers] == ["A cat"] * 8
    assert slow.most == most
    assert [semaphore.available for semaphore in semaphores] == [
        semaphore.limit for semaphore in semaphores
    ]


async def test_a_call_that_finds_no_memory_in_time_says_so_and_is_not_made(
    slowly: ModelCaller, slow: Slow
) -> None:
    others = [asyncio.create_task(call_model(slowly, OWN)) for _ in range(2)]
    await eventually(slow.count, lambda waiting: waiting == 2)

    with pytest.raises(NodeFailed, match="left no memory") as late:
        await call_model(slowly, OWN, seconds=2)
    slow.opened.set()
    await asyncio.gather(*others)

    assert (late.value.code, late.value.retryable) == ("resource_exhausted", True)
    assert len(slow.asked) == 2


async def test_a_call_with_more_media_than_there_is_memory_for_is_not_made(
    slowly: ModelCaller, slow: Slow, semaphores: list[ByteSemaphore]
) -> None:
    many = provided("openai", SEES, fields=PROMPT + IMAGES)

    with pytest.raises(NodeFailed, match="that a worker has for all") as refused:
        await slowly.call(many, {"prompt": "x", "image": [OWN] * 6})

    assert (refused.value.code, refused.value.retryable) == ("resource_exhausted", False)
    assert slow.asked == []
    assert [semaphore.available for semaphore in semaphores] == [
        semaphore.limit for semaphore in semaphores
    ]


async def test_received_media_have_their_own_memory(
    egress: Egress, slow: Slow, semaphores: list[ByteSemaphore]
) -> None:
    painter = provided("openai", '\nmodel = "m"', category="image")
    data = base64.b64encode(PICTURE * 2).decode()
    slow.answers = [{"data": [{"b64_json": data}]}]
    slow.opened.set()
    kept = Counting()
    async with serving_provider(slow):
        models = calling(egress, slow.environ, kept)
        await asyncio.gather(*(models.call(painter, {"prompt": "x"}) for _ in range(5)))

    assert len(kept.media) == 5
    assert kept.most <= 2
    assert [semaphore.available for semaphore in semaphores] == [
        semaphore.limit for semaphore in semaphores
    ]


async def test_an_answer_that_finds_no_memory_in_time_is_not_the_providers_fault(
    egress: Egress, slow: Slow, semaphores: list[ByteSemaphore]
) -> None:
    painter = provided("openai", '\nmodel = "m"', category="image")
    slow.answers = [{"data": [{"b64_json": base64.b64encode(PICTURE).decode()}]}]
    slow.opened.set()
    async with serving_provider(slow):
        models = calling(egress, slow.environ, Kept())
        for semaphore in semaphores:
            await semaphore.acquire(semaphore.limit, 1)
        model_call = ModelCall(
            checkpoints=NoCheckpoints(), deadline=asyncio.get_running_loop().time() + 3
        )

        with pytest.raises(NodeFailed, match="left no memory") as late:
            await models.call(painter, {"prompt": "x"}, model_call)

    assert (late.value.code, late.value.retryable) == ("resource_exhausted", True)
    assert [semaphore.available for semaphore in semaphores] == [0, 0]


class Counting(Kept):
    """Counts how many media it keeps at a time, each for a while."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.most = 0

    async def keep(self, account_id: str, data: bytes, content_type: str) -> StoredMedia:
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.05)
        self.now -= 1
        return await super().keep(account_id, data, content_type)
