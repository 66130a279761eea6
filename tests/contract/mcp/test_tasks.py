"""The contract of tasks: a call goes on without its client, who comes back for the result."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import anyio
import pytest
from mcp.client import ClientSession, advertise
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, Request, Result
from pydantic import Field

from tests.support.contract.approvals import answer_to, asking_person
from tests.support.contract.installation import Administration, Caller, failing, never
from tests.support.factories import greeting
from tests.support.mcp.task_client import (
    Task,
    TaskParams,
    TaskState,
    cancel_task,
    get_task,
    result_of,
    task_client,
)

DAY_MS = 86_400_000
UNKNOWN = "0197f0a0-0000-7000-8000-000000000000"
NOT_FOUND, NOT_DECLARED, NO_METHOD = -32602, -32021, -32601


@dataclass(frozen=True)
class Keys:
    """Keys of an account with a saved workflow, and one of another account."""

    url: str
    owner: str
    sibling: str
    runner: str
    """Key that may run the workflow, and nothing else."""
    stranger: str
    caller: Caller
    slug: str


@pytest.fixture
def keys(administration: Administration) -> Iterator[Keys]:
    account = administration.account("business")
    owner = administration.key(account)
    caller = administration.with_key(owner)
    slug = caller.save(asking_person(fields=[]).body())
    yield Keys(
        url=administration.url,
        owner=owner,
        sibling=administration.key(account),
        runner=administration.key(account, f"workflow:{slug}:run"),
        stranger=administration.key(administration.account("business")),
        caller=caller,
        slug=slug,
    )
    caller.clean()


async def begin(session: ClientSession, slug: str, **arguments: Any) -> Task:
    begun = await session.call_tool(slug, arguments, allow_claimed=True, allow_input_required=True)
    assert isinstance(begun, Task), begun
    return begun


async def state_once(
    session: ClientSession, task: Task, holds: Callable[[TaskState], object]
) -> TaskState:
    with anyio.fail_after(20):
        while not holds(state := await get_task(session, task.task_id)):
            await anyio.sleep(0.05)
    return state


def text_of(result: CallToolResult) -> str:
    [content] = result.content
    assert content.type == "text"
    return content.text


# -- states ----------------------------------------------------------------------------------------


async def test_a_call_is_a_task_and_its_execution(
    api_access: tuple[str, str], caller: Caller
) -> None:
    slug = caller.save(greeting().body())
    async with task_client(*api_access) as client:
        task = await begin(client.session, slug, who="Ada")
    # Another connection, which any of the gateways answers.
    async with task_client(*api_access) as client:
        result = await result_of(client.session, task)
        ended = await get_task(client.session, task.task_id)

    execution = caller.execution(task.task_id)
    assert (execution["source"], execution["status"]) == ("mcp", "completed")
    assert result.structured_content == execution["result"] == {"text": "Hello Ada"}
    assert (ended.status, ended.created_at) == ("completed", task.created_at)
    assert ended.created_at == execution["createdAt"]
    assert ended.last_updated_at == execution["completedAt"]
    assert task.ttl_ms is not None and task.ttl_ms >= 30 * DAY_MS
    assert task.poll_interval_ms == 250 and ended.poll_interval_ms is None


async def test_a_client_may_leave_the_waiting_to_its_extension(
    api_access: tuple[str, str], caller: Caller
) -> None:
    slug = caller.save(greeting().body())

    async with task_client(*api_access) as client:
        result = await client.call_tool(slug, {"who": "Ada"})

    assert not result.is_error and "Ada" in text_of(result)


async def test_a_failed_run_is_a_completed_task_with_its_code(
    api_access: tuple[str, str], caller: Caller
) -> None:
    slug = caller.save(failing())

    async with task_client(*api_access) as client:
        task = await begin(client.session, slug)
        result = await result_of(client.session, task)

    assert result.is_error and text_of(result).startswith("EXECUTION_FAILED: ")


@pytest.mark.parametrize("arguments", [{"who": ["no", "text"]}, {"who": 7}])
async def test_a_refused_run_is_no_task(
    api_access: tuple[str, str], caller: Caller, arguments: dict[str, Any]
) -> None:
    slug = caller.save(greeting().body())

    async with task_client(*api_access) as client:
        refused = await client.session.call_tool(slug, arguments)

    assert refused.is_error and text_of(refused).startswith("INVALID_INPUTS: ")


async def test_a_cancelled_task_is_a_cancelled_execution(
    api_access: tuple[str, str], caller: Caller
) -> None:
    slug = caller.save(never())
    async with task_client(*api_access) as client:
        task = await begin(client.session, slug)
        await cancel_task(client.session, task.task_id)
        state = await state_once(client.session, task, lambda each: each.status != "working")
        await cancel_task(client.session, task.task_id)  # it has ended: acknowledged all the same

    assert (state.status, state.status_message) == ("cancelled", "The run was cancelled.")
    assert caller.execution(task.task_id)["status"] == "cancelled"


async def test_a_task_that_waits_for_a_person_says_so_and_goes_on(
    api_access: tuple[str, str], caller: Caller
) -> None:
    slug = caller.save(asking_person(fields=[]).body())
    async with task_client(*api_access) as client:
        task = await begin(client.session, slug, who="Ada")
        waiting = await state_once(
            client.session, task, lambda each: "answer" in (each.status_message or "")
        )
        url = caller.execution(task.task_id)["waitingFor"][0].get("url")
        assert answer_to(caller, task.task_id, {"decision": "approve"}).status_code == 200
        result = await result_of(client.session, task)

    assert (waiting.status, waiting.poll_interval_ms) == ("working", 5_000)
    message = waiting.status_message or ""
    assert message.startswith("Waits for an answer to 'Post for Ada?' until ")
    assert url is not None and url in message
    assert result.structured_content is not None and result.structured_content["yes"] == "Ada"


async def test_a_key_that_only_runs_reads_its_tasks_without_links(keys: Keys) -> None:
    async with task_client(keys.url, keys.runner) as client:
        task = await begin(client.session, keys.slug, who="Ada")
        state = await state_once(
            client.session, task, lambda each: "answer" in (each.status_message or "")
        )
        assert "http" not in (state.status_message or "")
        assert answer_to(keys.caller, task.task_id, {"decision": "approve"}).status_code == 200
        assert not (await result_of(client.session, task)).is_error


async def test_a_repeated_call_with_its_idempotency_key_is_the_same_task(
    api_access: tuple[str, str], caller: Caller
) -> None:
    slug = caller.save(greeting().body())
    tasks = []
    for name in ("Ada", "Ada", "Eve"):
        async with task_client(*api_access, idempotency_key=f"of-{slug}") as client:
            arguments = {"who": name}
            tasks.append(
                await client.session.call_tool(
                    slug, arguments, allow_claimed=True, allow_input_required=True
                )
            )

    first, again, other = tasks
    assert isinstance(first, Task) and isinstance(again, Task)
    assert again.task_id == first.task_id
    assert (first.status, again.status) == ("working", "working")  # the run may have ended
    assert isinstance(other, CallToolResult)
    assert text_of(other).startswith("IDEMPOTENCY_KEY_REUSED: ")


async def test_a_large_result_is_whole(api_access: tuple[str, str], caller: Caller) -> None:
    slug, text = caller.save(greeting().body()), "ä" * 400_000

    async with task_client(*api_access) as client:
        result = await result_of(client.session, await begin(client.session, slug, who=text))

    assert result.structured_content == {"text": f"Hello {text}"}


# -- access ----------------------------------------------------------------------------------------


class UpdateParams(TaskParams):
    input_responses: dict[str, Any] = Field(alias="inputResponses")


class UpdateTask(Request[UpdateParams, Literal["tasks/update"]]):
    """Answers to questions of a task, which has none."""

    method: Literal["tasks/update"] = "tasks/update"
    name_param = "taskId"


async def refusals(url: str, key: str, task_id: str, **client: Any) -> set[int]:
    """Return the codes with which all requests about a task are refused."""
    codes = []
    async with task_client(url, key, **client) as opened:
        for ask in (get_task, cancel_task, _update):
            with pytest.raises(MCPError) as refused:
                await ask(opened.session, task_id)
            codes.append(refused.value.code)
    return set(codes)


async def _update(session: ClientSession, task_id: str) -> Result:
    params = UpdateParams(taskId=task_id, inputResponses={"ask": {"action": "accept"}})
    return await session.send_request(UpdateTask(params=params), Result)


@pytest.mark.A103
async def test_a_key_sees_the_tasks_alone_that_it_began(keys: Keys) -> None:
    by_http = keys.caller.start(keys.slug, {"who": "Ada"})
    async with task_client(keys.url, keys.owner) as client:
        task = await begin(client.session, keys.slug, who="Ada")
        assert await _update(client.session, task.task_id)

    for key, task_id in (
        (keys.sibling, task.task_id),
        (keys.stranger, task.task_id),
        (keys.owner, by_http),
        (keys.owner, UNKNOWN),
        (keys.owner, "../accounts"),
    ):
        assert await refusals(keys.url, key, task_id) == {NOT_FOUND}
    assert keys.caller.execution(task.task_id)["status"] == "processing"


async def test_clients_without_tasks_wait_and_have_none(
    api_access: tuple[str, str], caller: Caller
) -> None:
    slug = caller.save(greeting().body())
    other = advertise("example.org/other")
    async with task_client(*api_access) as client:
        task = await begin(client.session, slug, who="Ada")

    for mode, code in (("2026-07-28", NOT_DECLARED), ("legacy", NO_METHOD)):
        async with task_client(*api_access, other, mode=mode) as client:
            assert not (await client.call_tool(slug, {"who": "Ada"})).is_error
            with pytest.raises(MCPError) as refused:
                await get_task(client.session, task.task_id)
            assert refused.value.code == code


async def test_the_server_offers_the_extension(api_access: tuple[str, str]) -> None:
    async with task_client(*api_access, mode="auto") as client:
        assert client.server_capabilities.extensions == {"io.modelcontextprotocol/tasks": {}}
