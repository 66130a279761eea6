"""Assistants, generators and image tools in whole walks: a provider, costs, and media."""

import io
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from aiohttp import web
from PIL import Image

from engine.executions.execution import Execution
from engine.executions.statuses import ExecutionStatus
from engine.models.registry import use_models
from engine.settings import Settings
from engine.store.redis import keyspace
from tests.support.factories import Graph, Runner
from tests.support.http.providers import KEY, Provider, a_provider, provided, stub_provider
from tests.support.http.raw_server import Stub, answer, serving
from tests.support.manifests import PROMPT, model
from tests.support.media.pictures import BLUE, RED, encoded, is_near, pixel, plain
from tests.support.workers.paying_account import PRO
from tests.support.workers.shared_zygote import PoolOfSharedZygote
from tests.support.workers.untrusted_outputs import URLS, failure, run_all
from workers.main import worker
from workers.nodes.executor import Executor
from workers.outbound.client import Egress
from workers.providers.base import MediaStore, StoredMedia
from workers.providers.model_caller import ModelCaller
from workers.runtime.limits import LoadGate
from workers.walk.walker import Walker

PRICE = 13
"""Of one call for 0.010 USD with the markup of a Pro account."""
SCHEMA = '[[fields]]\nname = "jsonSchema"\ntype = "json"\n'
COUNT = '[[fields]]\nname = "count"\ntype = "number"\nmin = 1\nmax = 15\ndefault = 1\n'
PER_IMAGE = '[[pricing]]\nunit = "image"\nusd = "0.010"\nfield = "count"\n'
PAINTER = 'api = "images"\nmodel = "any"\nbody = { response_format = "url", size = "64x64" }\n'


@dataclass
class MemoryMediaStore(MediaStore):
    """Media of accounts, in memory."""

    media: dict[str, bytes] = field(default_factory=dict)

    async def read(
        self, account_id: str, url: str, max_bytes: int, owner_id: str = ""
    ) -> bytes | None:
        return self.media.get(url)

    async def keep(self, account_id: str, data: bytes, content_type: str) -> StoredMedia:
        url = f"https://kept.example/{len(self.media)}.{content_type.partition('/')[2]}"
        self.media[url] = data
        return StoredMedia(url=url)

    def image(self, url: str) -> Image.Image:
        """One of them."""
        return Image.open(io.BytesIO(self.media[url])).convert("RGB")


@pytest.fixture
def blob_store() -> MemoryMediaStore:
    return MemoryMediaStore()


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with a_provider() as provider:
        yield provider


@pytest.fixture
def registry() -> Iterator[None]:
    models = [
        provided("openai", 'model = "any"\n', name="chat", fields=PROMPT + SCHEMA),
        provided(
            "openai",
            PAINTER,
            name="painter",
            category="image",
            fields=PROMPT + COUNT,
            pricing=PER_IMAGE,
        ),
        model("echo"),
    ]
    with use_models(models):
        yield


class MediaWalker:
    """A walker with a media store, for the runner's account."""

    def __init__(
        self,
        runner: Runner,
        blob_store: MemoryMediaStore,
        pool: PoolOfSharedZygote,
        egress: Egress,
    ) -> None:
        self._runner = runner
        self._blob_store = blob_store
        self._pool = pool
        self._egress = egress

    async def run(self, graph: Graph, url: str, inputs: Any = None) -> Execution:
        """Accept, walk with the provider at a URL, and wait."""
        execution_id = await self._runner.begin(await self._runner.save(graph), inputs, terms=PRO)
        walker = self._walker(url)
        walker.take_hint(keyspace.reference(self._runner.account.id, execution_id))
        execution = await self._runner.end(execution_id)
        await walker.drain(1)
        return execution

    def _walker(self, url: str) -> Walker:
        environ = {"PROVIDER_URL": url, "PROVIDER_KEY": KEY}
        models = ModelCaller(self._egress, media_store=self._blob_store, environ=environ)
        return Walker(
            store=self._runner.store,
            executor=Executor(self._egress, self._pool, models, self._blob_store),
            worker_id="worker-1",
            cpu_slots=2,
            max_bytes=10_000_000,
            release=lambda: None,
            load_gate=LoadGate(),
        )

    async def paid(self) -> int:
        """Return the account's paid credits; its ledger is right, and none is reserved."""
        store, account = self._runner.store, self._runner.account
        assert await store.wallets.check(account.id) == []
        wallet = await store.wallets.get(account.id, PRO)
        assert wallet.reserved == 0
        return PRO.allowance - wallet.balance


@pytest.fixture
async def media_walker(
    runner: Runner, blob_store: MemoryMediaStore, egress: Egress
) -> AsyncIterator[MediaWalker]:
    pool = PoolOfSharedZygote(slots=2)
    await pool.start()
    yield MediaWalker(runner, blob_store, pool, egress)
    await pool.close()


def said(text: str) -> dict[str, Any]:
    """Return a chat's answer."""
    return {"choices": [{"message": {"content": text}}]}


def pictures() -> Graph:
    """Return a graph: a product, prompts by a model, a picture of each, and a caption on each."""
    return (
        Graph("product")
        .node("ask", "assistant", model="chat", prompt="Of {{ what }}", exportMode="list")
        .node("paint", "imageGenerator", model="painter")
        .node("write", "imageCaption", size=20, background="#0000ff", format="png")
        .node("out", "responseOutput")
        .wire("in.product > ask.what", "ask.items-out > paint.prompt-in")
        .wire("paint.image-out > write.image-in", "ask.items-out > write.text-in")
        .wire("write.image-out > out.result-in")
    )


# -- pipelines ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("registry")
async def test_a_product_becomes_prompts_pictures_and_captions(
    media_walker: MediaWalker, blob_store: MemoryMediaStore
) -> None:
    with stub_provider() as url:
        execution = await media_walker.run(pictures(), f"{url}/v1", {"product": "a mug"})

    assert execution.error is None
    urls = execution.result["images"]
    assert len(urls) == 2
    assert [blob_store.image(each).size for each in urls] == [(64, 64)] * 2
    assert [is_near(pixel(blob_store.image(each), 0, 0.99), BLUE) for each in urls] == [True] * 2
    assert execution.credits_cost == await media_walker.paid() == PRICE + 2 * PRICE


@pytest.mark.usefixtures("registry")
async def test_a_count_from_a_caller_is_held_for_and_charged(
    media_walker: MediaWalker, provider: Provider
) -> None:
    provider.answers = [{"data": [{"url": "https://a.example/x.png"}]}]
    graph = Graph().node(
        "in", "requestInput", fields=[{"name": "count", "label": "Count", "type": "number"}]
    )
    graph.node("l", "list", items=[{"value": "a"}, {"value": "b"}])
    graph.node("paint", "imageGenerator", model="painter", count=15)
    graph.node("out", "responseOutput").wire("in.params > paint.params-in")
    graph.wire("l.items-out > paint.prompt-in", "paint.image-out > out.result-in")

    execution = await media_walker.run(graph, provider.url, {"count": 3})

    assert execution.result == {"images": ["https://a.example/x.png"] * 6}
    assert [each.body["prompt"] for each in provider.asked].count("a") == 3
    assert execution.credits_cost == await media_walker.paid() == 6 * PRICE


@pytest.mark.usefixtures("registry")
async def test_an_answer_that_does_not_fit_is_asked_for_again_and_paid_once(
    media_walker: MediaWalker, provider: Provider
) -> None:
    provider.answers = [said("Sorry."), said('{"name": 5}'), said(' {"name": "Ada"} ')]
    schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    retry = {"attempts": 3, "backoff": 0}
    graph = Graph().node(
        "ask", "assistant", model="chat", prompt="Who?", jsonSchema=schema, retry=retry
    )
    graph.node("out", "responseOutput").wire("ask.text-out > out.result-in")

    execution = await media_walker.run(graph, provider.url)

    assert execution.result == {"text": '{"name":"Ada"}'}
    assert len(provider.asked) == 3
    assert execution.credits_cost == await media_walker.paid() == PRICE


@pytest.mark.usefixtures("registry")
async def test_a_failed_image_of_several_fails_the_node_and_costs_nothing(
    media_walker: MediaWalker, provider: Provider
) -> None:
    picture = {"data": [{"url": "https://a.example/x.png"}]}
    provider.answers = [picture, web.Response(status=400, text='{"error": "No."}'), picture]
    graph = Graph().node("paint", "imageGenerator", model="painter", prompt="x", count=3)
    graph.node("out", "responseOutput").wire("paint.image-out > out.result-in")

    execution = await media_walker.run(graph, provider.url)

    assert failure(execution) == ("paint", "PROVIDER_REJECTED")
    assert execution.credits_cost == await media_walker.paid() == 0


# -- image tools ----------------------------------------------------------------------------------


def tooled(url: str, **data: Any) -> Graph:
    graph = Graph().node("l", "list", kind="image", items=[{"value": url}])
    graph.node("tool", "imageConvert", format="png", **data)
    return graph.node("out", "responseOutput").wire(
        "l.items-out > tool.image-in", "tool.image-out > out.result-in"
    )


async def test_an_image_of_the_accounts_own_is_not_called_for(
    media_walker: MediaWalker, blob_store: MemoryMediaStore
) -> None:
    blob_store.media["https://kept.example/own"] = plain((8, 8), BLUE, kind="GIF")

    execution = await media_walker.run(tooled("https://kept.example/own"), "")

    [url] = execution.result["images"]
    assert pixel(blob_store.image(url), 0.5, 0.5) == BLUE


@pytest.mark.A86
@pytest.mark.parametrize(
    ("page", "code"),
    [
        (answer("Content-Type: image/png", "Content-Length: 6", body=b"<html>"), "bad_media"),
        ([b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"], "http_status"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 40000001\r\n\r\n"], "response_too_large"),
    ],
)
async def test_a_missing_or_invalid_image_fails_the_node(
    media_walker: MediaWalker, stub: Stub, page: list[bytes], code: str
) -> None:
    stub.reply = page

    execution = await media_walker.run(tooled(f"{stub.url}/x"), "")

    assert failure(execution) == ("tool", code)


async def test_an_image_from_elsewhere_is_fetched(
    media_walker: MediaWalker, stub: Stub, blob_store: MemoryMediaStore
) -> None:
    body = plain((8, 8))
    stub.reply = answer(f"Content-Length: {len(body)}", body=body)

    execution = await media_walker.run(tooled(f"{stub.url}/x"), "")

    [url] = execution.result["images"]
    assert pixel(blob_store.image(url), 0.5, 0.5) == RED


async def test_work_on_an_image_ends_at_the_nodes_deadline(
    media_walker: MediaWalker, blob_store: MemoryMediaStore
) -> None:
    noise = Image.effect_noise((3_000, 3_000), 90)
    blob_store.media["https://kept.example/own"] = encoded(noise, "PNG", compress_level=1)

    execution = await media_walker.run(tooled("https://kept.example/own", timeoutSeconds=0.05), "")

    assert failure(execution) == ("tool", "timeout")


async def test_the_deadline_holds_for_all_images_of_a_list_together(
    media_walker: MediaWalker, blob_store: MemoryMediaStore
) -> None:
    noise = Image.effect_noise((1_000, 1_000), 90)
    blob_store.media["https://kept.example/own"] = encoded(noise, "PNG", compress_level=1)
    graph = Graph().node(
        "l", "list", kind="image", items=[{"value": "https://kept.example/own"}] * 800
    )
    graph.node("tool", "imageResize", width=900, timeoutSeconds=4)
    graph.node("out", "responseOutput")
    graph.wire("l.items-out > tool.image-in", "tool.image-out > out.result-in")
    alone = await media_walker.run(tooled("https://kept.example/own"), "")

    execution = await media_walker.run(graph, "")

    assert alone.status is ExecutionStatus.COMPLETED
    assert failure(execution) == ("tool", "timeout")


# -- untrusted texts of models --------------------------------------------------------------------


@pytest.mark.A86
async def test_no_url_that_a_model_says_leads_inside(runner: Runner, settings: Settings) -> None:
    graph = (
        Graph("said")
        .node("model", "assistant", model="echo", prompt="{{ said }}")
        .node("value", "list")
        .node("tool", "imageConvert", format="png")
        .node("out", "responseOutput")
        .wire("in.said > model.said", "model.text-out > value.items-in")
        .wire("value.items-out > tool.image-in", "tool.image-out > out.result-in")
    )

    async with (
        serving(Stub(), "0.0.0.0") as everywhere,
        worker(replace(settings, allow_private_urls=False)),
    ):
        ended = await run_all(runner, graph, [*URLS, "data:image/png;base64,AAAA", "/etc/passwd"])

    assert {failure(each) for each in ended} == {("tool", "url_blocked")}
    assert everywhere.connections == 0


@pytest.mark.usefixtures("walker")
async def test_a_models_text_is_not_read_as_a_template(runner: Runner) -> None:
    graph = (
        Graph("said")
        .node("one", "assistant", model="echo", prompt="{{ said }}")
        .node("two", "assistant", model="echo", prompt="<{{ text }}>")
        .node("three", "assistant", model="echo", prompt="typed {{ text }}")
        .node("out", "responseOutput")
        .wire("in.said > one.said", "one.text-out > two.text")
        .wire("two.text-out > three.prompt-in", "two.text-out > three.text")
        .wire("three.text-out > out.result-in")
    )
    said = ["{{ text }}", "{{ said }}", "{{ prompt-in }}", "{{", "{{ text }}" * 100]

    ended = await run_all(runner, graph, said)

    assert [each.result for each in ended] == [{"text": f"<{text}>"} for text in said]
    assert {each.status for each in ended} == {ExecutionStatus.COMPLETED}
