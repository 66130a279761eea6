"""Log of executions: a line for each end, or for a few failures, and never a value of a run."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.services.execution_log import execution_log, find_place
from engine.settings import SettingError, Settings
from engine.store import Account, Store
from engine.store.executions.ended import EndedExecution
from tests.support.store.ended import Ending

FACTS = (b"failed", b"echo", b"1", b"api-workflow", b"0", None, b"1500")


def failed(number: int, account_id: str = "acc") -> EndedExecution:
    facts = [*FACTS, *(None for _ in range(16))]
    return EndedExecution.parse(account_id, f"e{number}", facts)


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "executions.log"


async def test_each_end_has_a_line_with_the_ids_that_join_it(
    store: Store, account: Account, settings: Settings, path: Path
) -> None:
    ending = await Ending.of(store, account)
    with execution_log(replace(settings, execution_log=str(path)), store.ends):
        await ending.completed(request_id="req_1", trace="00-" + "a" * 32 + "-" + "b" * 16 + "-00")
        await ending.failed()
        await ending.cancelled()

    completed, failure, cancelled = read(path)
    assert [each["status"] for each in read(path)] == ["completed", "failed", "cancelled"]
    assert (completed["requestId"], completed["traceId"]) == ("req_1", "a" * 32)
    assert (completed["accountId"], completed["workflow"]) == (account.id, "echo")
    assert (completed["level"], completed["event"]) == ("info", "execution ended")
    assert completed["durationMs"] >= completed["waitMs"] >= 0
    assert (failure["level"], failure["code"], failure["nodeId"]) == (
        *("warning", "EXECUTION_FAILED", "t"),
    )
    assert "waitMs" not in cancelled
    assert not {"result", "inputs", "message", "reason"} & set().union(*read(path))


async def test_a_failure_log_has_a_few_lines_of_each_account_and_counts_the_rest(
    store: Store, settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    with execution_log(settings, store.ends):
        for number in range(1_000):
            tell(store, failed(number, "greedy"))
        tell(store, failed(0, "other"))
        await asyncio.sleep(0)

    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    lines = [each for each in lines if each["logger"] == "headrace.executions"]
    greedy = [each for each in lines if each["accountId"] == "greedy"]
    assert [each["executionId"] for each in greedy[:-1]] == [f"e{n}" for n in range(10)]
    assert (greedy[-1]["event"], greedy[-1]["omitted"]) == ("further executions failed", 990)
    assert [each.get("executionId") for each in lines if each["accountId"] == "other"] == ["e0"]


async def test_the_rest_is_counted_after_a_second_without_another_failure(
    store: Store,
    settings: Settings,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("engine.services.execution_log.SECOND", 0.01)
    with execution_log(settings, store.ends):
        for number in range(12):
            tell(store, failed(number))
        await asyncio.sleep(0.05)
        tell(store, failed(99))

    events = [json.loads(line).get("omitted") for line in capfd.readouterr().err.splitlines()]
    assert events == [None] * 10 + [2, None]


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({}, "failed"),
        ({"access_log": "1"}, "1"),
        ({"access_log": "0"}, "failed"),
        ({"access_log": "a.log"}, "a.log"),
        ({"access_log": "a.log", "execution_log": "failed"}, "failed"),
        ({"access_log": "a.log", "execution_log": "0"}, "0"),
        ({"execution_log": "e.log"}, "e.log"),
    ],
)
def test_executions_go_where_requests_go_unless_a_place_is_set(
    given: Mapping[str, str], place: str
) -> None:
    assert find_place(Settings(**given)) == place


async def test_without_a_log_nobody_asks_for_ends(store: Store, settings: Settings) -> None:
    with execution_log(replace(settings, execution_log="0"), store.ends):
        assert store.ends.wanted == ""


async def test_a_file_that_cannot_be_written_is_refused(
    store: Store, settings: Settings, tmp_path: Path
) -> None:
    wrong = replace(settings, access_log=str(tmp_path / "none" / "x"))

    with (
        pytest.raises(SettingError, match="HEADRACE_ACCESS_LOG"),
        execution_log(wrong, store.ends),
    ):
        pass


def tell(store: Store, ended: EndedExecution) -> None:
    facts = [*FACTS, *(None for _ in range(16))]
    store.ends.tell(ended.account_id, ended.execution_id, facts)
