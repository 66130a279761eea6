"""Outcomes of one attempt at one node."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Any, cast

import pytest

from engine.access.opened_secrets import OpenedSecrets
from engine.errors.nodes import NodeFailed
from engine.graph.plan import Node
from engine.nodes.support.base import Context, HttpAnswer, HttpCall, NodeType, Outputs, WorkKind
from engine.nodes.support.documents import DocumentOptions
from engine.nodes.support.policy import Policy
from engine.process.pool import Pool, PoolCrashed, PoolTimeout
from engine.store.redis.record_packing import unpack
from tests.support.documents.small_pdf import lines, pdf_of, put, small_pdf
from tests.support.http.providers import Kept
from workers.nodes.context import NodeAttempt
from workers.nodes.documents import DocumentPool
from workers.nodes.executor import AttemptOutcome, Executor
from workers.nodes.local_models import LocalPool


class Scripted(NodeType):
    """A node with the behaviour that a test gives it."""

    type = "scripted"
    category = "Tests"

    def __init__(self, kind: WorkKind, act: Callable[[Context], Any]) -> None:
        self.kind = kind
        self._act = act

    async def run(self, settings: Any, inputs: Mapping[str, Any], context: Context) -> Outputs:
        outputs = self._act(context)
        return await outputs if asyncio.iscoroutine(outputs) else outputs


class SpoiledPool:
    def __init__(self, error: Exception) -> None:
        self._error = error
        self.deadlines: list[float] = []

    async def run(self, *args: object, deadline_seconds: float, **_: object) -> Any:
        self.deadlines.append(deadline_seconds)
        raise self._error


class NoWayOut:
    async def fetch(self, call: HttpCall) -> HttpAnswer:
        raise NodeFailed("url_blocked", call.url)


def make_node(
    act: Callable[[Context], Any], kind: WorkKind = WorkKind.IO, timeout: float | None = None
) -> Node:
    return Node(
        index=0,
        id="n",
        type=Scripted(kind, act),
        settings=None,
        policy=Policy(timeout_seconds=timeout),
        in_edges=(),
        many=frozenset(),
        dependencies=(),
        dependents=(),
    )


async def attempt(
    act: Callable[[Context], Any],
    kind: WorkKind = WorkKind.IO,
    timeout: float | None = None,
    pool: SpoiledPool | None = None,
) -> AttemptOutcome:
    node = make_node(act, kind, timeout)
    work = NodeAttempt(node=node, execution_inputs={"who": "Ada"}, inputs={}, delivered=[])
    return await Executor(NoWayOut(), cast(Pool, pool)).run(work)


def fail(error: Exception) -> Callable[[Context], Any]:
    def act(context: Context) -> Any:
        raise error

    return act


async def test_outputs_come_with_their_bytes() -> None:
    outcome = await attempt(lambda context: {"out": [context.inputs["who"], 1.5, None]})

    assert outcome.outputs == {"out": ["Ada", 1.5, None]}
    assert unpack(outcome.packed) == outcome.outputs
    assert outcome.failure is None


async def test_a_failure_the_node_names_is_the_outcome() -> None:
    call = HttpCall(method="GET", url="http://10.0.0.1/")

    outcome = await attempt(lambda context: context.fetch(call))

    assert outcome.failure is not None
    assert (outcome.failure.code, outcome.failure.message) == ("url_blocked", call.url)


async def test_a_surprise_is_an_internal_error_that_tells_nothing() -> None:
    outcome = await attempt(fail(ArithmeticError("secret")))

    assert outcome.failure is not None
    assert outcome.failure.code == "internal_error"
    assert "secret" not in outcome.failure.message


@pytest.mark.parametrize("value", [2**70, "\ud800"])
async def test_an_output_that_is_no_json_is_invalid(value: object) -> None:
    outcome = await attempt(lambda context: {"out": value})

    assert outcome.failure is not None
    assert outcome.failure.code == "invalid_output"


async def test_a_call_over_its_time_may_be_repeated() -> None:
    outcome = await attempt(lambda context: asyncio.sleep(30), timeout=0.01)

    assert outcome.failure is not None
    assert (outcome.failure.code, outcome.failure.retryable) == ("timeout", True)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PoolTimeout("late"), "timeout"),
        (PoolCrashed("gone"), "resource_exhausted"),
        (MemoryError(), "resource_exhausted"),
        (NodeFailed("expression_error", "no such key"), "expression_error"),
    ],
)
@pytest.mark.F34
async def test_an_expression_that_does_not_end_well_names_why(error: Exception, code: str) -> None:
    pool = SpoiledPool(error)

    outcome = await attempt(
        lambda context: context.evaluate("value", {"value": 1}), WorkKind.CPU, 2.5, pool
    )

    assert outcome.failure is not None
    assert outcome.failure.code == code
    assert pool.deadlines == [2.5]


async def test_cancellation_is_no_outcome() -> None:
    task = asyncio.create_task(attempt(lambda context: asyncio.sleep(30)))
    await asyncio.sleep(0)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


# -- secrets --------------------------------------------------------------------------------------

CANARY = "canary-4711"


class OneSecret:
    """Each account has the secret TOKEN."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def open(self, account_id: str, names: Collection[str]) -> OpenedSecrets:
        self.asked.append(account_id)
        return OpenedSecrets({"TOKEN": CANARY})


async def attempt_with_secret(
    error: Exception, source: OneSecret, **accounts: str
) -> AttemptOutcome:
    async def act(context: Context) -> Outputs:
        assert (await context.open_secrets({"TOKEN"})).values == {"TOKEN": CANARY}
        raise error

    node = make_node(act)
    work = NodeAttempt(node=node, execution_inputs={}, inputs={}, delivered=[], **accounts)
    return await Executor(NoWayOut(), cast(Pool, None), secrets=source).run(work)


async def test_a_failure_repeats_no_secret() -> None:
    error = NodeFailed("a_code", f"no {CANARY}", retryable=True, retry_after=3)

    failure = (await attempt_with_secret(error, OneSecret())).failure

    assert failure is not None
    assert CANARY not in repr(failure)
    assert (failure.code, failure.message, failure.retryable, failure.retry_after) == (
        *("a_code", "no •••"),
        *(True, 3),
    )


async def test_the_log_of_an_error_repeats_no_value(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")

    outcome = await attempt_with_secret(ValueError(f"no {CANARY}"), OneSecret())

    assert outcome.failure is not None and outcome.failure.code == "internal_error"
    (record,) = caplog.records
    assert record.__dict__["traceback"].endswith("raise error\nValueError")
    assert record.exc_info is None
    assert CANARY not in str(record.__dict__)


@pytest.mark.parametrize(
    ("accounts", "asked"),
    [({"account_id": "acc_1"}, "acc_1"), ({"account_id": "acc_1", "owner_id": "acc_2"}, "acc_2")],
)
async def test_secrets_are_those_of_the_workflow_s_owner(
    accounts: dict[str, str], asked: str
) -> None:
    source = OneSecret()

    await attempt_with_secret(NodeFailed("a_code", "no"), source, **accounts)

    assert source.asked == [asked]


async def test_a_call_of_a_node_is_the_accounts_and_names_the_owner_of_its_workflow() -> None:
    calls: list[HttpCall] = []

    class Noting:
        async def fetch(self, call: HttpCall) -> HttpAnswer:
            calls.append(call)
            return HttpAnswer(status=200, headers={}, body=b"")

    async def fetch(context: Context) -> Outputs:
        await context.fetch(HttpCall(method="GET", url="https://example.org/"))
        return {}

    await Executor(Noting(), cast(Pool, None)).run(
        NodeAttempt(
            node=make_node(fetch),
            execution_inputs={},
            inputs={},
            delivered=[],
            account_id="acc_runner",
            owner_id="acc_owner",
            depth=3,
        )
    )

    [call] = calls
    assert (call.account_id, call.owner_id, call.depth) == ("acc_runner", "acc_owner", 3)


# -- documents ------------------------------------------------------------------------------------

DOCUMENT = "https://own.example/media/1"


class SlowDocuments(DocumentPool):
    """Notes the time that each document may take, which it then has taken."""

    def __init__(self) -> None:
        super().__init__()
        self.deadlines: list[float] = []

    async def run(self, *args: object, deadline_seconds: float, **_: object) -> Any:
        self.deadlines.append(deadline_seconds)
        raise PoolTimeout("late")


async def attempt_with_document(
    act: Callable[[Context], Any], pool: DocumentPool, timeout: float | None = None
) -> AttemptOutcome:
    store = Kept(
        own={("acc_1", DOCUMENT): small_pdf("One", "Two")}, types={DOCUMENT: "application/pdf"}
    )
    work = NodeAttempt(
        node=make_node(act, WorkKind.CPU, timeout),
        execution_inputs={},
        inputs={},
        delivered=[],
        account_id="acc_1",
    )
    executor = Executor(NoWayOut(), cast(Pool, None), media_store=store, document_pool=pool)
    return await executor.run(work)


async def test_a_document_is_read_by_its_type_on_record() -> None:
    async def act(context: Context) -> Outputs:
        contents = await context.read_document(DOCUMENT)
        return {"type": await context.file_type(DOCUMENT), "pages": list(contents.pages)}

    pool = DocumentPool()
    outcome = await attempt_with_document(act, pool)
    await pool.close()

    assert outcome.outputs == {"type": "application/pdf", "pages": ["One", "Two"]}


@pytest.mark.parametrize(("timeout", "seconds"), [(None, 10.0), (2.5, 2.5)])
async def test_a_document_has_ten_seconds_or_the_time_of_its_node(
    timeout: float | None, seconds: float
) -> None:
    pool = SlowDocuments()

    outcome = await attempt_with_document(
        lambda context: context.read_document(DOCUMENT), pool, timeout
    )

    assert pool.deadlines == [pytest.approx(seconds, abs=1)]
    assert outcome.failure is not None
    assert outcome.failure.code == "document_unreadable"


async def test_pages_without_a_text_are_read_as_pictures() -> None:
    class ReadsPictures(LocalPool):
        async def read_image(self, data: bytes, seconds: float, account_id: str = "") -> str:
            return f"{data[:2].hex()} within {seconds:g} s for {account_id}"

    async def act(context: Context) -> Outputs:
        contents = await context.read_document(DOCUMENT, DocumentOptions(reads_pictures=True))
        return {"pages": list(contents.pages)}

    pool = DocumentPool()
    store = Kept(
        own={("acc_1", DOCUMENT): pdf_of([put(50, 700, "Text"), lines((50, 50, 200, 90))])},
        types={DOCUMENT: "application/pdf"},
    )
    work = NodeAttempt(
        node=make_node(act, WorkKind.CPU),
        execution_inputs={},
        inputs={},
        delivered=[],
        account_id="acc_1",
    )
    executor = Executor(
        *(NoWayOut(), cast(Pool, None)),
        media_store=store,
        local_pool=ReadsPictures(),
        document_pool=pool,
    )
    outcome = await executor.run(work)
    await pool.close()

    assert outcome.outputs == {"pages": ["Text", "ffd8 within 30 s for acc_1"]}
