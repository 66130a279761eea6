"""Executor of one attempt at one node: its deadline and outcome."""

import asyncio
import logging
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any

from msgspec import Struct, structs

from engine.access.opened_secrets import OpenedSecrets
from engine.billing.credits import MONEY_CODES
from engine.errors.nodes import NodeFailed, invalid_output
from engine.graph.plan import Node, NodeName
from engine.models.pricing import NO_USAGE, Usage
from engine.nodes.support.base import Outputs, WorkKind
from engine.process import pool_zygote
from engine.process.pool import Pool, timed_out
from engine.store.redis.record_packing import pack
from engine.telemetry.log import format_places
from workers.nodes.context import NodeAttempt, NodeContext, NodeTools
from workers.nodes.documents import DocumentPool
from workers.nodes.local_models import LocalPool
from workers.nodes.no_calls import NoCalls
from workers.nodes.secrets import StoredSecrets
from workers.providers.base import Fetcher, MediaStore, NoMediaStore
from workers.providers.model_caller import ModelCaller

PRELOAD = (*pool_zygote.PRELOAD, "workers.nodes.imaging")
"""Modules that the processes of the pool for nodes begin with."""

log = logging.getLogger(__name__)


class AttemptOutcome(Struct, frozen=True):
    """Outcome of an attempt: outputs, their bytes and usage, or the failure.

    A failed attempt is not charged, so it has no usage, whatever its calls were.
    """

    outputs: Outputs | None = None
    packed: bytes = b""
    failure: NodeFailed | None = None
    usage: Usage = NO_USAGE
    fallback_micro_usd: int = 0
    """Cost of calls that other models answered instead of the node's own."""
    offloaded_name: str = ""
    """Name of the offloaded output; empty: it is not offloaded."""
    turn_ms: int = 0
    """Time until the first call of a model had its turn at the provider."""
    parked_until: int | None = None
    """The node is parked until it is woken, at this time in milliseconds at the latest."""
    began_at: int | None = None
    """Begin of the node's work in milliseconds, where that was in an earlier walk."""
    plain: bytes | None = None
    """Packed result as the parent gets it, or its packed name; None: no parent waits for it."""
    is_recorded: bool = False
    """A replay has taken the outcome from a record, so it costs nothing."""


class Executor:
    """Runs nodes; independent of claims, records and other nodes."""

    def __init__(
        self,
        fetcher: Fetcher,
        pool: Pool,
        models: ModelCaller | None = None,
        media_store: MediaStore | None = None,
        local_pool: LocalPool | None = None,
        document_pool: DocumentPool | None = None,
        secrets: StoredSecrets | None = None,
    ) -> None:
        self._tools = NodeTools(
            fetcher=fetcher,
            pool=pool,
            local=local_pool or LocalPool(),
            documents=document_pool or DocumentPool(),
            models=models or ModelCaller(fetcher),
            media_store=media_store or NoMediaStore(),
            secrets=secrets,
        )
        self._offline_tools: NodeTools | None = None

    def find_asset(self, value: object) -> str | None:
        """Return the id of the asset to which a value is a link, None for other values."""
        return self._tools.media_store.linked(value)

    def _tools_of(self, attempt: NodeAttempt) -> NodeTools:
        if not attempt.calls_nobody:
            return self._tools
        if self._offline_tools is None:
            fetcher = NoCalls()
            self._offline_tools = replace(
                self._tools, fetcher=fetcher, models=ModelCaller(fetcher), secrets=None
            )
        return self._offline_tools

    async def run(self, attempt: NodeAttempt) -> AttemptOutcome:
        """Run one attempt; never raises but for cancellation."""
        try:
            context = NodeContext(attempt, self._tools_of(attempt))
            try:
                outputs = await _run_node(attempt, context)
                outcome = AttemptOutcome(
                    outputs,
                    pack(outputs),
                    usage=context.usage,
                    fallback_micro_usd=context.fallback_micro_usd,
                )
            except Exception as error:
                outcome = AttemptOutcome(failure=_failure(error, attempt.node, context.secrets))
            if context.turn_ms:
                outcome = structs.replace(outcome, turn_ms=context.turn_ms)
            if outcome.failure is not None:  # a retry of the execution may come after the last
                await attempt.checkpoints.flush()
        finally:
            attempt.checkpoints.close()
        if attempt.publisher is not None:
            await attempt.publisher.end()
        return outcome

    async def cancel_jobs(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Ask providers once to cancel recorded jobs that no attempt resumes."""
        await asyncio.gather(*(self._tools.models.cancel(record) for record in records))


def _run_node(attempt: NodeAttempt, context: NodeContext) -> Coroutine[Any, Any, Outputs]:
    """Return the run of the node, which has one frame less without a time-out."""
    node = attempt.node
    if node.policy.timeout_seconds is None or node.type.kind is not WorkKind.IO:
        return node.type.run(node.settings, attempt.inputs, context)
    return _run_timed(attempt, context, node.policy.timeout_seconds)


async def _run_timed(attempt: NodeAttempt, context: NodeContext, seconds: float) -> Outputs:
    async with asyncio.timeout(seconds):
        return await attempt.node.type.run(attempt.node.settings, attempt.inputs, context)


def _failure(error: Exception, node: Node, secrets: OpenedSecrets) -> NodeFailed:
    """Return the failure of a node whose attempt has raised an error."""
    match error:
        case NodeFailed():
            return _without_secrets(error, secrets)
        case TimeoutError():
            return timed_out(node.policy.timeout_seconds or 0)
        case OverflowError() | UnicodeEncodeError():
            return invalid_output()
    _log_error(node, error)
    return NodeFailed("internal_error", "The node failed unexpectedly", retryable=True)


def _without_secrets(failure: NodeFailed, secrets: OpenedSecrets) -> NodeFailed:
    if not secrets.is_in(failure.message):
        return failure
    return failure.with_message(secrets.redact_text(failure.message))


def _log_error(node: Node, error: BaseException) -> None:
    """Log where an exception comes from, without its words: they may repeat values."""
    extra = {"node_type": node.type.type, "traceback": format_places(error)}
    log.error("node raised", extra=extra)


def describe(node: NodeName, failure: NodeFailed) -> dict[str, Any]:
    """Return the error of an execution that ends because of a node."""
    where = {"nodeId": node.id, "nodeType": node.type, "reason": failure.message}
    if failure.code in MONEY_CODES:
        message = f"Node '{node.id}' did not run: {failure.message}"
        return {"code": failure.code, "message": message, **where}
    message = f"Node '{node.id}' failed: {failure.message}"
    why = {"nodeCode": failure.code, "retryable": failure.retryable}
    return {"code": "EXECUTION_FAILED", "message": message, **where, **why}
