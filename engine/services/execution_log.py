"""Log of executions: one line for each that has ended in this process."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from engine.executions.statuses import ExecutionStatus
from engine.settings import PREFIX, SettingError, Settings
from engine.store.executions.ended import EndedExecution, Ends
from engine.telemetry.lines import STANDARD_ERROR, LineWriter, open_writer
from engine.telemetry.log import format_now, format_time

FAILED = "failed"
"""Setting: failed executions alone, on standard error."""
NONE = "0"
LINES_OF_ACCOUNT = 10
"""Lines about failed executions of one account in a second; the rest is counted in one line."""
SECOND = 1.0
LOGGER = "headrace.executions"
MOST_NAME = 128
"""Characters of a name that an author has chosen."""


class ExecutionLine(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Line about one execution; members without a value are left out."""

    at: str
    level: str
    logger: str
    event: str
    execution_id: str
    status: str
    account_id: str
    workflow: str = ""
    version: int = 0
    source: str = ""
    wait_ms: int | None = None
    """From the acceptance to the begin; None for one that never began."""
    duration_ms: int = -1
    """From the acceptance to the end."""
    code: str = ""
    node_id: str = ""
    node_type: str = ""
    node_code: str = ""
    models: str = ""
    credits: int = 0
    request_id: str = ""
    trace_id: str = ""
    key_id: str = ""
    batch_id: str = ""
    batch_index: int | None = None
    trigger_id: str = ""
    occurrence_id: str = ""
    parent_id: str = ""
    parent_node_id: str = ""
    child_index: int | None = None
    root_id: str = ""
    owner_id: str = ""
    retry_of: str = ""


class OmittedLine(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Line about failed executions of an account that have none of their own."""

    at: str
    level: str
    logger: str
    event: str
    account_id: str
    omitted: int


def make_line(ended: EndedExecution) -> ExecutionLine:
    """Return the line about an execution."""
    started = ended.started_at
    return ExecutionLine(
        at=format_time(*divmod(ended.completed_at, 1_000)),
        level="warning" if ended.status is ExecutionStatus.FAILED else "info",
        logger=LOGGER,
        event="execution ended",
        execution_id=ended.execution_id,
        status=ended.status.value,
        account_id=ended.account_id,
        workflow=ended.slug,
        version=ended.version,
        source=ended.source,
        wait_ms=None if started is None else started - ended.created_at,
        duration_ms=ended.completed_at - ended.created_at,
        code=ended.error_code,
        node_id=ended.node_id[:MOST_NAME],
        node_type=ended.node_type,
        node_code=ended.node_code,
        models=ended.models[:MOST_NAME],
        credits=ended.credits,
        request_id=ended.request_id,
        trace_id=ended.trace_id,
        key_id=ended.key_id,
        batch_id=ended.batch_id,
        batch_index=ended.batch_index,
        trigger_id=ended.trigger_id,
        occurrence_id=ended.occurrence_id,
        parent_id=ended.parent_id,
        parent_node_id=ended.parent_node_id[:MOST_NAME],
        child_index=ended.child_index,
        root_id=ended.root_id,
        owner_id=ended.owner_id,
        retry_of=ended.retry_of,
    )


class ExecutionLog:
    """Writes the line of each execution."""

    def __init__(self, writer: LineWriter) -> None:
        self._writer = writer

    def note(self, ended: EndedExecution) -> None:
        """Write the line of an execution."""
        self._writer.write(ended.account_id, make_line(ended))

    def close(self) -> None:
        """Do nothing: each line is written at once."""


class FailureLog:
    """Writes the lines of failed executions, a few of each account in a second."""

    def __init__(self, writer: LineWriter) -> None:
        self._writer = writer
        self._counts: dict[str, int] = {}
        """Failures by account since the second began."""
        self._end: asyncio.TimerHandle | None = None

    def note(self, ended: EndedExecution) -> None:
        """Write the line of a failed execution, or count it."""
        if ended.status is not ExecutionStatus.FAILED:
            return
        if self._end is None:
            self._end = asyncio.get_running_loop().call_later(SECOND, self._end_second)
        count = self._counts[ended.account_id] = self._counts.get(ended.account_id, 0) + 1
        if count <= LINES_OF_ACCOUNT:
            self._writer.write(ended.account_id, make_line(ended))

    def close(self) -> None:
        """Write the number of failures that have no line."""
        if self._end is not None:
            self._end.cancel()
            self._end_second()

    def _end_second(self) -> None:
        counts, self._counts, self._end = self._counts, {}, None
        at = format_now()
        for account_id, count in counts.items():
            if count > LINES_OF_ACCOUNT:
                omitted = OmittedLine(
                    at=at,
                    level="warning",
                    logger=LOGGER,
                    event="further executions failed",
                    account_id=account_id,
                    omitted=count - LINES_OF_ACCOUNT,
                )
                self._writer.write(account_id, omitted)


def find_place(settings: Settings) -> str:
    """Return the place of the log: `failed`, `0`, `1` or a file."""
    requests = "" if settings.access_log == NONE else settings.access_log
    return settings.execution_log or requests or FAILED


@contextmanager
def execution_log(settings: Settings, ends: Ends) -> Iterator[None]:
    """Write the log of executions while the context lasts.

    Raises SettingError for a file that cannot be written.
    """
    place = find_place(settings)
    if place == NONE:
        yield
        return
    is_failed = place == FAILED
    name = "EXECUTION_LOG" if settings.execution_log else "ACCESS_LOG"
    writer = open_log(STANDARD_ERROR if is_failed else place, "execution", name)
    log = FailureLog(writer) if is_failed else ExecutionLog(writer)
    ends.subscribe(log.note, only_failed=is_failed)
    try:
        yield
    finally:
        log.close()
        writer.close()


def open_log(place: str, log: str, name: str) -> LineWriter:
    """Return the writer of a log. Raises SettingError for a file that cannot be written."""
    try:
        return open_writer(place, log)
    except OSError as error:
        raise SettingError(f"{PREFIX}{name}: {place} cannot be written: {error.strerror}") from None
