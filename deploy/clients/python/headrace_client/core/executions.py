"""Flows of executions: get, list, wait, cancel, retry."""

from urllib.parse import quote

from headrace_client.core.deadlines import Deadline
from headrace_client.core.decoding import decode
from headrace_client.core.effects import Flow, Request, Sleep
from headrace_client.core.pages import iterate_pages, query_of
from headrace_client.core.session import (
    CLIENT,
    Session,
    json_request,
    new_idempotency_key,
)
from headrace_client.errors import ConflictError, WaitTimeoutError
from headrace_client.models import Execution, StartedRun
from headrace_client.options import ExecutionFilters, RetryOptions, WaitOptions

PATH = "/api/executions"
NAMES = {"created_from": "from", "created_to": "to", "id_start": "q"}
WORKFLOW_RUNS = "workflows/run"
"""Bucket of the rate limit that retries count in, too."""
QUERY_NAMES = {"max_credits": "max_credits"}
STOPPED = frozenset({"cancelled", "cancel_requested"})


def execution_path(execution_id: str) -> str:
    """Return the path of an execution."""
    return f"{PATH}/{quote(execution_id, safe='')}"


def get_execution(
    session: Session, execution_id: str, deadline: Deadline | None = None
) -> Flow[Execution]:
    """Return an execution with its nodes."""
    request = Request(method="GET", path=execution_path(execution_id))
    members = yield from session.fetch(request, deadline or session.deadline())
    return decode(Execution, members)


def list_executions(session: Session, filters: ExecutionFilters) -> Flow[None]:
    """Emit executions, newest first."""
    return iterate_pages(session, Execution, PATH, query_of(filters, NAMES))


def wait_for(session: Session, execution_id: str, options: WaitOptions) -> Flow[Execution]:
    """Poll until the execution has ended. Raises WaitTimeoutError."""
    return (
        yield from poll(session, execution_id, session.deadline(options.get("timeout", CLIENT)))
    )


def poll(session: Session, execution_id: str, deadline: Deadline) -> Flow[Execution]:
    """Poll until the execution has ended; the first poll is at once. Raises WaitTimeoutError."""
    polls = 0
    while True:
        # A poll that began before the end of the wait is still answered.
        execution = yield from get_execution(session, execution_id, deadline)
        if execution.has_ended:
            return execution
        if not deadline.remaining:
            message = f"Execution {execution_id} goes on after the timeout"
            raise WaitTimeoutError(message, execution_id=execution_id)
        yield Sleep(session.poll_pause(polls, deadline))
        polls += 1


def cancel_execution(session: Session, execution_id: str) -> Flow[None]:
    """Ask for an execution to stop. Raises ConflictError when it has ended otherwise."""
    request = json_request(f"{execution_path(execution_id)}/cancel")
    try:
        yield from session.send(request, session.deadline())
    except ConflictError as error:
        # A repeated request meets what the first one, whose answer was lost, has done.
        if error.body.get("status") not in STOPPED:
            raise


def retry_execution(session: Session, execution_id: str, options: RetryOptions) -> Flow[StartedRun]:
    """Run a failed execution again from the nodes that failed."""
    key = options.get("idempotency_key") or new_idempotency_key()
    request = json_request(
        f"{execution_path(execution_id)}/retry",
        query=query_of({"max_credits": options.get("max_credits")}, QUERY_NAMES),
        headers={"idempotency-key": key},
    )
    deadline = session.deadline(options.get("timeout", CLIENT))
    members = yield from session.fetch(request, deadline, bucket=WORKFLOW_RUNS)
    return decode(StartedRun, members)
