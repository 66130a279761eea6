"""Executor of one attempt at one node: inputs, deadline and outcome."""

import asyncio
import logging
import traceback
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from msgspec import Struct, structs

from engine.access.opened_secrets import NO_SECRETS, OpenedSecrets
from engine.billing.credits import MONEY_CODES
from engine.errors.nodes import NodeFailed
from engine.graph.plan import Node, NodeName
from engine.log import MAX_TEXT
from engine.models.manifest import Category, Model
from engine.models.pricing import NO_USAGE, Usage
from engine.nodes.support.base import HttpAnswer, HttpCall, InEdge, Outputs, WorkKind
from engine.nodes.support.image_edits import IMAGE_SECONDS, READ_SECONDS, Edit, ImageData
from engine.process import pool_template
from engine.process.pool import AccountRunner, Pool, PoolGate, compute, timed_out
from engine.store.redis.record_packing import pack
from engine.values import cel
from workers.media.fetch import fetch_media
from workers.nodes.local_models import LocalPool
from workers.providers.base import (
    CallCheckpoints,
    Fetcher,
    MediaStore,
    ModelCall,
    NoCheckpoints,
    NoMediaStore,
    ignore_update,
)
from workers.providers.model_caller import ModelCaller, refuse_answer

COMPUTE_SECONDS = 5.0
"""Time-out of work in a child process where the node has none."""
PRELOAD = (*pool_template.PRELOAD, "workers.nodes.imaging")
"""Modules that the processes of the pool for nodes begin with."""

NO_CHECKPOINTS = NoCheckpoints()

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


class ProgressSink(Protocol):
    """Port to watchers of a running node."""

    def text_of(self, item: int) -> Callable[[str], None]:
        """Return a function that takes a call's text, as `ModelCall.publish_text`."""
        ...

    def progress_of(self, item: int) -> Callable[[float], None]:
        """Return a function that takes a call's progress, as `ModelCall.publish_progress`."""
        ...

    async def end(self) -> None:
        """Wait until all updates are published; the node has ended."""
        ...


class SecretSource(Protocol):
    """Port to the secrets of accounts."""

    async def open(self, account_id: str, names: Collection[str]) -> OpenedSecrets:
        """Open the secrets. Raises NodeFailed."""
        ...


class NoSecretSource:
    """No account has a secret."""

    async def open(self, account_id: str, names: Collection[str]) -> OpenedSecrets:
        """Refuse."""
        raise NodeFailed("secret_missing", "There are no secrets here")


class ValueMemory(PoolGate, Protocol):
    """Memory of a running node's values beside its inputs."""

    async def reserve(self, size: int) -> None:
        """Add `size` bytes, then wait until further ones are available."""
        ...


class NodeAttempt(Struct, frozen=True, kw_only=True):
    """One attempt at a node, with its inputs and context."""

    node: Node
    execution_inputs: Mapping[str, Any]
    inputs: Mapping[str, Any]
    delivered: Sequence[tuple[InEdge, Any]]
    account_id: str = ""
    owner_id: str = ""
    """Account of the workflow, whose secrets the node uses, and the assets that it names."""
    execution_id: str = ""
    depth: int = 1
    """Depth of the run: 1, or one more than that of the run whose node began it."""
    checkpoints: CallCheckpoints = NO_CHECKPOINTS
    """Records of its calls."""
    publisher: ProgressSink | None = None
    """None: there is no progress to publish."""
    memory: ValueMemory | None = None
    """None: memory is not counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeTools:
    """Tools shared by all nodes of a worker process."""

    fetcher: Fetcher
    pool: Pool
    local: LocalPool
    models: ModelCaller
    media_store: MediaStore
    secrets: SecretSource


class NodeContext:
    """Context of a running node: the calls that it may make."""

    __slots__ = (
        *("_deadline", "_timeout", "_tools", "_work"),
        *("_began", "delivered", "fallback_micro_usd", "inputs", "secrets", "turn_ms", "usage"),
    )

    def __init__(self, work: NodeAttempt, tools: NodeTools) -> None:
        self.inputs = work.execution_inputs
        self.delivered = work.delivered
        self._work = work
        self._tools = tools
        self._timeout = timeout = work.node.policy.timeout_seconds
        self._began = asyncio.get_running_loop().time()
        self._deadline = None if timeout is None else self._began + timeout
        self.usage = NO_USAGE
        self.fallback_micro_usd = 0
        self.secrets = NO_SECRETS
        self.turn_ms: int | None = None

    async def open_secrets(self, names: Collection[str]) -> OpenedSecrets:
        """Open secrets of the workflow's owner, for this attempt alone."""
        work = self._work
        async with asyncio.timeout_at(self._deadline):
            self.secrets = await self._tools.secrets.open(work.owner_id or work.account_id, names)
        return self.secrets

    def fetch(self, call: HttpCall) -> Coroutine[Any, Any, HttpAnswer]:
        """Send the call as one of the account's."""
        work = self._work
        reserve = None if work.memory is None else work.memory.reserve
        call = structs.replace(
            call,
            account_id=work.account_id,
            owner_id=work.owner_id,
            depth=work.depth,
            reserve=reserve,
        )
        return self._tools.fetcher.fetch(call)

    async def evaluate(self, expression: str, values: Mapping[str, Any]) -> Any:
        """Evaluate CEL in a child process that is killed at the node's deadline."""
        return await self._compute(
            "The expression", COMPUTE_SECONDS, cel.evaluate, expression, values
        )

    async def choose(self, expressions: Sequence[str], values: Mapping[str, Any]) -> int | None:
        """Find the first true expression in a child process that is killed at the deadline."""
        found = await self._compute(
            "The expressions", COMPUTE_SECONDS, cel.choose, expressions, values
        )
        return cast(int | None, found)

    async def compute(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call a top-level function in a child process that is killed at the node's deadline."""
        return await self._compute("The work", COMPUTE_SECONDS, function, *args)

    async def fetch_media(self, url: str) -> bytes:
        """Fetch the bytes at a URL; a foreign URL counts as the account's call."""
        if self._work.memory is not None:
            await self._work.memory.wait()
        async with asyncio.timeout_at(self._deadline):
            work, tools = self._work, self._tools
            return await fetch_media(
                url, work.account_id, tools.media_store, tools.fetcher, work.owner_id
            )

    async def keep_media(self, data: bytes, content_type: str) -> str:
        """Store a medium of the account; returns its URL."""
        async with asyncio.timeout_at(self._deadline):
            stored = await self._media_store.keep(self._work.account_id, data, content_type)
        return stored.url

    async def edit_image(self, edit: Edit, sources: Sequence[bytes]) -> ImageData:
        """Edit an image in a child process that is killed at the node's deadline."""
        from workers.nodes import imaging  # a library of 4 MB that most workers never need

        async with asyncio.timeout_at(self._deadline):  # of many images, all together
            edited = await self._compute("The image", IMAGE_SECONDS, imaging.edit, edit, sources)
        return cast(ImageData, edited)

    async def read_image(self, data: bytes) -> str:
        """Return the text in an image, from a child process that is killed at the deadline."""
        return await self._tools.local.read_image(
            data, self._timeout or READ_SECONDS, self._work.account_id
        )

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return vectors, from a child process that is killed at the node's deadline."""
        return await self._tools.local.embed(
            texts, self._timeout or READ_SECONDS, self._work.account_id
        )

    @property
    def _media_store(self) -> MediaStore:
        return self._tools.media_store.of(self._work.execution_id, "")

    async def _compute(
        self, what: str, usual: float, function: Callable[..., Any], *args: Any
    ) -> Any:
        runner = AccountRunner(self._tools.pool, self._work.account_id, self._work.memory)
        return await compute(runner, what, self._timeout or usual, function, *args)

    async def use_asset(self, asset_id: str, *, is_named: bool) -> tuple[str, str]:
        """Return the kind of an asset, and a link that lasts as long as the execution."""
        account_id = self._work.owner_id if is_named else self._work.account_id
        return await self._media_store.use(account_id, asset_id)

    async def call_model(self, model: Model, values: Mapping[str, Any], item: int = 0) -> Any:
        """Call the model once, unless an earlier attempt has, and count its usage."""
        checkpoints, model_call = self._work.checkpoints, self._model_call(item)
        answer = await checkpoints.find_answer(item)
        if answer is None:
            answer = await self._tools.models.call(model, values, model_call)
            checkpoints.save_answer(item, answer)
        elif model.category is Category.TEXT:
            model_call.publish_text(answer.value)
        if answer.micro_usd is None:
            self.usage += answer.usage
        else:
            self.fallback_micro_usd += answer.micro_usd
        return answer.value

    def is_final(self, failure: NodeFailed) -> bool:
        """Return whether the node has no attempt after this failure."""
        return self._work.checkpoints.is_final(failure)

    async def refuse_answer(self, item: int = 0) -> None:
        """Drop the answer for an item, so that the next attempt calls the model again."""
        await refuse_answer(self._work.checkpoints, item)

    def _note_turn(self) -> None:
        if self.turn_ms is None:
            self.turn_ms = int((asyncio.get_running_loop().time() - self._began) * 1000)

    def _model_call(self, item: int) -> ModelCall:
        work, publisher = self._work, self._work.publisher
        return ModelCall(
            checkpoints=work.checkpoints,
            item=item,
            deadline=self._deadline,
            execution_id=work.execution_id,
            note_turn=self._note_turn,
            fetch_media=self.fetch_media,
            publish_progress=publisher.progress_of(item) if publisher else ignore_update,
            publish_text=publisher.text_of(item) if publisher else ignore_update,
        )


class Executor:
    """Runs nodes; independent of claims, records and other nodes."""

    def __init__(
        self,
        fetcher: Fetcher,
        pool: Pool,
        models: ModelCaller | None = None,
        media_store: MediaStore | None = None,
        local_pool: LocalPool | None = None,
        secrets: SecretSource | None = None,
    ) -> None:
        self._tools = NodeTools(
            fetcher=fetcher,
            pool=pool,
            local=local_pool or LocalPool(),
            models=models or ModelCaller(fetcher),
            media_store=media_store or NoMediaStore(),
            secrets=secrets or NoSecretSource(),
        )

    async def run(self, work: NodeAttempt) -> AttemptOutcome:
        """Run one attempt; never raises but for cancellation."""
        try:
            context = NodeContext(work, self._tools)
            try:
                outputs = await _run_node(work, context)
                outcome = AttemptOutcome(
                    outputs,
                    pack(outputs),
                    usage=context.usage,
                    fallback_micro_usd=context.fallback_micro_usd,
                )
            except Exception as error:
                outcome = AttemptOutcome(failure=_failure(error, work.node, context.secrets))
            if context.turn_ms:
                outcome = structs.replace(outcome, turn_ms=context.turn_ms)
            if outcome.failure is not None:  # a retry of the execution may come after the last
                await work.checkpoints.flush()
        finally:
            work.checkpoints.close()
        if work.publisher is not None:
            await work.publisher.end()
        return outcome

    async def cancel_jobs(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Ask providers once to cancel recorded jobs that no attempt resumes."""
        await asyncio.gather(*(self._tools.models.cancel(record) for record in records))


def _run_node(work: NodeAttempt, context: NodeContext) -> Coroutine[Any, Any, Outputs]:
    """Return the run of the node, which has one frame less without a time-out."""
    node = work.node
    if node.policy.timeout_seconds is None or node.type.kind is not WorkKind.IO:
        return node.type.run(node.settings, work.inputs, context)
    return _run_timed(work, context, node.policy.timeout_seconds)


async def _run_timed(work: NodeAttempt, context: NodeContext, seconds: float) -> Outputs:
    async with asyncio.timeout(seconds):
        return await work.node.type.run(work.node.settings, work.inputs, context)


def _failure(error: Exception, node: Node, secrets: OpenedSecrets) -> NodeFailed:
    """Return the failure of a node whose attempt has raised an error."""
    match error:
        case NodeFailed():
            return _without_secrets(error, secrets)
        case TimeoutError():
            return timed_out(node.policy.timeout_seconds or 0)
        case OverflowError() | UnicodeEncodeError():
            return NodeFailed("invalid_output", "The node's output is not valid JSON")
    _log_error(node, secrets)
    return NodeFailed("internal_error", "The node failed unexpectedly", retryable=True)


def _without_secrets(failure: NodeFailed, secrets: OpenedSecrets) -> NodeFailed:
    if not secrets.is_in(failure.message):
        return failure
    return NodeFailed(
        failure.code,
        secrets.redact_text(failure.message),
        retryable=failure.retryable,
        retry_after=failure.retry_after,
        may_have_arrived=failure.may_have_arrived,
    )


def _log_error(node: Node, secrets: OpenedSecrets) -> None:
    """Log the current exception, whose words may repeat a secret."""
    extra = {"node_type": node.type.type}
    if secrets.values:
        trace = secrets.redact_text(traceback.format_exc())[-MAX_TEXT:]
        log.error("node raised", extra={**extra, "traceback": trace})
    else:
        log.exception("node raised", extra=extra)


def describe(node: NodeName, failure: NodeFailed) -> dict[str, Any]:
    """Return the error of an execution that ends because of a node."""
    where = {"nodeId": node.id, "nodeType": node.type, "reason": failure.message}
    if failure.code in MONEY_CODES:
        message = f"Node '{node.id}' did not run: {failure.message}"
        return {"code": failure.code, "message": message, **where}
    message = f"Node '{node.id}' failed: {failure.message}"
    why = {"nodeCode": failure.code, "retryable": failure.retryable}
    return {"code": "EXECUTION_FAILED", "message": message, **where, **why}
