"""Flows of runs: run, start, stream."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from headrace_client.core import executions
from headrace_client.core.deadlines import Deadline
from headrace_client.core.decoding import decode
from headrace_client.core.effects import Flow, Query, Request
from headrace_client.core.executions import QUERY_NAMES, WORKFLOW_RUNS
from headrace_client.core.pages import query_of
from headrace_client.core.session import (
    CLIENT,
    Session,
    json_request,
    members_of,
    new_idempotency_key,
)
from headrace_client.core.streams import Cursor, read_events
from headrace_client.errors import (
    ApiError,
    ConflictError,
    ExecutionCancelledError,
    HeadraceError,
    ServerError,
    family,
)
from headrace_client.models import Execution, StartedRun
from headrace_client.options import StartOptions, WaitOptions
from headrace_client.results import RunResult

MODEL_RUNS = "models/run"
ACCEPTED = 202


@dataclass(frozen=True, slots=True)
class Target:
    """A workflow or a model that runs."""

    path: str
    bucket: str

    @classmethod
    def find(cls, slug: str | None, model: str | None) -> "Target":
        """Return the target of the one that is given. Raises HeadraceError for both or none."""
        if slug and not model:
            return cls(f"/api/workflows/{quote(slug, safe='')}/run", WORKFLOW_RUNS)
        if model and not slug:
            return cls(f"/api/models/{quote(model, safe='')}/run", MODEL_RUNS)
        raise HeadraceError("A run needs the slug of a workflow, or the name of a model")


def _request(
    target: Target, inputs: Mapping[str, Any] | None, options: StartOptions, query: Query = ()
) -> Request:
    members = {name: options.get(name) for name in ("tags", "webhook")}
    body = {"inputs": dict(inputs or {})} | {
        name: value for name, value in members.items() if value is not None
    }
    asked = {name: options.get(name) for name in ("version", "max_credits")}
    key = options.get("idempotency_key") or new_idempotency_key()
    return json_request(
        target.path,
        body,
        query=query_of(asked, QUERY_NAMES) + query,
        headers={"idempotency-key": key},
    )


def start(
    session: Session, slug: str | None, inputs: Mapping[str, Any] | None, options: StartOptions
) -> Flow[StartedRun]:
    """Begin a run and return where it is found."""
    target = Target.find(slug, options.get("model"))
    request = _request(target, inputs, options, (("async", "true"),))
    deadline = session.deadline(options.get("timeout", CLIENT))
    return decode(StartedRun, (yield from session.fetch(request, deadline, bucket=target.bucket)))


def run(
    session: Session, slug: str | None, inputs: Mapping[str, Any] | None, options: StartOptions
) -> Flow[RunResult]:
    """Run and wait for the result, by polling when the server's own wait is over.

    Raises ApiError of the run's failure, or WaitTimeoutError with the id of the run that goes on.
    """
    target = Target.find(slug, options.get("model"))
    deadline = session.deadline(options.get("timeout", CLIENT))
    request = replace(_request(target, inputs, options), waits=True)
    try:
        response = yield from session.send(request, deadline, bucket=target.bucket)
    except ConflictError as error:
        # The answer of an earlier attempt was lost while its run goes on.
        if error.code != "IDEMPOTENCY_KEY_IN_USE" or error.execution_id is None:
            raise
        return (yield from _outcome(session, error.execution_id, deadline))
    members = members_of(response)
    if response.status == ACCEPTED:
        return (yield from _outcome(session, members["executionId"], deadline))
    return decode(RunResult, members)


def _outcome(session: Session, execution_id: str, deadline: Deadline) -> Flow[RunResult]:
    execution = yield from executions.poll(session, execution_id, deadline)
    if execution.status != "completed":
        raise failure_of(execution)
    return RunResult(
        result=execution.result,
        cost=execution.credits_cost,
        ms=execution.duration_ms,
        execution_id=execution.execution_id,
        warnings=execution.warnings,
    )


def failure_of(execution: Execution) -> ApiError:
    """Return the error that a waiting caller gets of an execution that did not complete."""
    body: dict[str, Any] = {"executionId": execution.execution_id}
    if execution.status == "cancelled":
        message, code, status = "The execution was cancelled", "EXECUTION_CANCELLED", 409
        return ExecutionCancelledError(message, status=status, code=code, body=body)
    error = execution.error
    if error is None:
        return ServerError("The execution failed", status=500, body=body)
    body |= {"error": error.message, "code": error.code, "reason": error.message}
    node = next((each for each in execution.nodes if each.id == error.node_id), None)
    if node is not None:
        body |= {"nodeId": node.id, "nodeType": node.type}
        body |= {} if node.error is None else {"nodeCode": node.error.code}
    status = 402 if error.code in ("INSUFFICIENT_CREDITS", "MAX_CREDITS_EXCEEDED") else 500
    kind = family(status, error.code)
    return kind(error.message, status=status, code=error.code, body=body)


def stream(
    session: Session, slug: str | None, inputs: Mapping[str, Any] | None, options: StartOptions
) -> Flow[None]:
    """Begin a run and emit its events until it has ended, over broken connections.

    Raises ApiError when the run is refused, WaitTimeoutError with the id of a run that goes on.
    """
    target = Target.find(slug, options.get("model"))
    deadline = session.deadline(options.get("timeout", CLIENT))
    begin = replace(_request(target, inputs, options), waits=True)
    return read_events(session, Cursor(), deadline, begin, target.bucket)


def watch(
    session: Session, execution_id: str, last_event_id: str, options: WaitOptions
) -> Flow[None]:
    """Emit the events of an execution after the last one that was seen, until it has ended."""
    deadline = session.deadline(options.get("timeout", CLIENT))
    return read_events(session, Cursor(execution_id, last_event_id), deadline)
