"""Actors of an operator, in real worker processes, sent from this one."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import dramatiq
import pytest

from engine.settings import SettingError, Settings
from engine.store import Store
from engine.store.redis import process_keys
from tests.support.eventually import eventually
from tests.support.redis.installation import SECRET_KEY
from tests.support.workers.worker_process import WorkerProcess, worker_processes
from workers.runtime.messages import own_broker
from workers.runtime.own_actors import OwnActors

MODULE = "tests.support.workers.own_actors"
ROOT = Path(__file__).parents[3]
CANARY = "a-canary-of-arguments"


class Notes:
    """The notes that the actors of the module take."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def of(self, word: str) -> list[list[Any]]:
        lines = self._path.read_text().splitlines() if self._path.exists() else []
        return [rest for first, *rest in map(json.loads, lines) if first == word]

    async def wait(self, word: str, count: int = 1) -> list[list[Any]]:
        async def read() -> list[list[Any]]:
            return self.of(word)

        return await eventually(read, lambda found: len(found) >= count, timeout=40)


@pytest.fixture
def notes(tmp_path: Path) -> Notes:
    return Notes(tmp_path / "notes")


@pytest.fixture
def module(redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The module in the program that sends messages."""
    monkeypatch.setenv("HEADRACE_REDIS_URL", redis_url)
    monkeypatch.setenv("NOTES", str(tmp_path / "notes"))
    own_broker.cache_clear()
    before = dramatiq.broker.global_broker
    source = ROOT / "tests" / "support" / "workers" / "own_actors.py"
    made = ModuleType("own_actors_module")
    exec(compile(source.read_text(), source, "exec"), made.__dict__)
    yield made
    own_broker().close()
    own_broker.cache_clear()
    dramatiq.broker.global_broker = before


@pytest.fixture
def environ(module: ModuleType, tmp_path: Path) -> dict[str, str]:
    return {
        "HEADRACE_ACTORS": MODULE,
        "NOTES": str(tmp_path / "notes"),
        "PYTHONPATH": str(Path(__file__).parents[3]),
    }


@pytest.fixture
async def worker(redis_url: str, environ: dict[str, str]) -> AsyncIterator[WorkerProcess]:
    async with worker_processes(redis_url, 1, **environ) as [process]:
        yield process


async def test_an_actor_is_given_all_arguments_in_the_worker_process(
    module: ModuleType, notes: Notes, store: Store, worker: WorkerProcess
) -> None:
    module.keep.send("Ada", 2, [3.5, None], loud=True, more={"a": ["b"]})
    module.keep.send()

    kept = sorted(await notes.wait("keep", 2))

    pid = kept[0][0]
    full = [pid, ["Ada", 2, [3.5, None]], {"loud": True, "more": {"a": ["b"]}}]
    assert kept == [[pid, [], {}], full]
    assert any(f"-{pid}-" in name for name in await store.leases.workers())


async def test_a_delay_and_middleware_count_too(
    module: ModuleType, notes: Notes, store: Store, worker: WorkerProcess
) -> None:
    module.keep.send_with_options(args=("in an hour",), delay=3_600_000)
    module.keep.send_with_options(args=("soon",), delay=10)
    module.keep.send("now")

    kept = await notes.wait("keep", 2)

    assert sorted(each[1] for each in kept) == [["now"], ["soon"]]
    assert await notes.wait("processed", 2) == [["keep"], ["keep"]]
    assert await store.client.send("ZCARD", process_keys.messages_due("default")) == 1


async def test_a_failed_message_is_run_again_only_where_the_actor_says_so(
    module: ModuleType, notes: Notes, store: Store, worker: WorkerProcess
) -> None:
    module.fail.send("once")
    module.fail_again.send("three times")

    await notes.wait("fail_again", 3)
    module.keep.send("after")
    await notes.wait("keep")

    assert len(notes.of("fail")) == 1
    assert len(notes.of("fail_again")) == 3
    assert await store.client.send("ZCARD", process_keys.messages_due("again")) == 0


@pytest.mark.F82
async def test_a_message_is_lost_with_a_killed_worker_and_never_run_twice(
    module: ModuleType, notes: Notes, redis_url: str, environ: dict[str, str]
) -> None:
    async with worker_processes(redis_url, 1, **environ) as [doomed]:
        module.hang.send("lost")
        await notes.wait("hang")
        await doomed.end(signal.SIGKILL)
    async with worker_processes(redis_url, 1, **environ):
        module.keep.send("after")
        module.hang.send("second")
        await notes.wait("keep")
        hung = await notes.wait("hang", 2)

    assert hung == [["lost"], ["second"]]


@pytest.mark.F82
async def test_unprocessed_messages_are_kept_when_a_worker_stops(
    module: ModuleType, notes: Notes, redis_url: str, environ: dict[str, str], store: Store
) -> None:
    more = {"HEADRACE_ACTOR_THREADS": "1", "HEADRACE_DRAIN_SECONDS": "0.5"}
    async with worker_processes(redis_url, 1, **environ, **more) as [stopped]:
        module.hang.send("begun")
        await notes.wait("hang")
        for number in range(4):
            module.keep.send(number)
        assert await stopped.end(signal.SIGTERM) == 0
        assert notes.of("keep") == []
    async with worker_processes(redis_url, 1, **environ):
        kept = await notes.wait("keep", 4)

    assert sorted(each[1] for each in kept) == [[number] for number in range(4)]


async def test_a_message_that_would_lose_its_arguments_is_an_error_when_it_is_sent(
    module: ModuleType, store: Store
) -> None:
    with pytest.raises(TypeError):
        module.keep.send({"a set"})

    assert await store.client.send("EXISTS", process_keys.messages("default")) == 0


async def test_no_level_of_a_workers_log_has_the_arguments(
    module: ModuleType, notes: Notes, redis_url: str, environ: dict[str, str]
) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy", "worker"),
        env={
            **os.environ,
            **environ,
            "HEADRACE_REDIS_URL": redis_url,
            "HEADRACE_LOG_LEVEL": "DEBUG",
            "HEADRACE_SECRET_KEY": SECRET_KEY,
        },
        stderr=asyncio.subprocess.PIPE,
    )
    module.keep.send(CANARY, name=CANARY)
    module.fail.send(CANARY)
    module.fail_again.send(CANARY)
    await notes.wait("fail_again", 3)
    await notes.wait("keep")
    process.send_signal(signal.SIGTERM)
    _, text = await process.communicate()

    assert b"Failed to process message fail " in text
    assert b"a line of its own" in text
    assert CANARY.encode() not in text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "there is no module 'jobs'; is its folder in PYTHONPATH?"),
        ("import not_there", "there is no module 'not_there'; 'jobs' needs it"),
        ("x = 1 / 0", "'jobs' cannot be imported: ZeroDivisionError: division by zero"),
        (
            "x = 1",
            "jobs declares no actor on the broker of Headrace: set workers.runtime.messages.own_",
        ),
    ],
)
def test_a_module_that_cannot_be_run_is_an_error_in_a_sentence(
    module: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str | None,
    reason: str,
) -> None:
    own_broker.cache_clear()
    folder = tmp_path / "folder"
    folder.mkdir()
    if text is not None:
        (folder / "jobs.py").write_text(text)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "jobs", raising=False)

    with pytest.raises(SettingError) as caught:
        OwnActors.load(replace(Settings(), actors="jobs"))

    assert str(caught.value).startswith(f"HEADRACE_ACTORS: {reason}")


def test_a_module_need_not_name_the_broker(
    module: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_broker.cache_clear()
    (tmp_path / "plain_jobs.py").write_text(
        "import dramatiq\n\n@dramatiq.actor\ndef plain(): pass\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))

    assert OwnActors.load(replace(Settings(), actors=" plain_jobs, ")) is not None
    assert own_broker().actors.keys() == {"plain"}


def test_without_modules_there_is_nothing_to_run() -> None:
    assert OwnActors.load(Settings()) is None
