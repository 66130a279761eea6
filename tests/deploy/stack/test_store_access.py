"""Access of commands to the store of a stack."""

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.output.problems import CommandFailed
from deploy.stack.store_access import open_store
from engine.models.registry import use_saved
from engine.services.workflows.publish import create_workflow
from engine.settings import Settings
from engine.store import Account, Store
from tests.support.gateway.documents import edge, node
from tests.support.graphs.graph_checkers import ANY_URL
from tests.support.manifests import manifest


@pytest.fixture(autouse=True)
def registry() -> Iterator[None]:
    yield
    use_saved(())


async def test_a_workflow_that_calls_a_saved_model_is_pushed(
    settings: Settings, store: Store, account: Account
) -> None:
    nodes = [node("m", "customModel", model="own", prompt="Hi"), node("out", "responseOutput")]
    edges = [edge("m", "text-out", "out", "result-in")]
    await store.models.create("own", manifest(), account.id)
    use_saved(())

    async with open_store(settings.redis_url, {"HEADRACE_SECRET_KEY": settings.secret_key}) as own:
        document = {"name": "Own", "nodes": nodes, "edges": edges}
        workflow = await create_workflow(own, account.id, document, checker=ANY_URL)

    assert not workflow.problems


@pytest.mark.parametrize(
    ("greeting", "reply", "reported"),
    [
        (b"%0\r\n", b"-MISCONF Errors writing to the AOF file\r\n", "its memory or its disk"),
        (b"%0\r\n", b"-NOPERM User u has no permissions\r\n", r"right now \(NOPERM\)"),
        (b"%1\r\n+role\r\n+slave\r\n", b"+PONG\r\n", "is a replica"),
        (b"-WRONGPASS invalid\r\n", b"", r"the password of HEADRACE_REDIS_URL \(WRONGPASS\)"),
    ],
)
async def test_a_redis_that_refuses_is_told_from_one_that_is_away(
    greeting: bytes, reply: bytes, reported: str, settings: Settings, tmp_path: Path
) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(1024):
                writer.write(greeting if b"HELLO" in data else reply)
                await writer.drain()
        writer.close()

    async with await asyncio.start_unix_server(refuse, tmp_path / "s"):
        with pytest.raises(CommandFailed, match=reported):
            async with open_store(
                f"unix://{tmp_path}/s", {"HEADRACE_SECRET_KEY": settings.secret_key}
            ):
                pass
