"""Previews of outputs in events: URLs, and the first bytes of texts, by socket."""

from collections.abc import Mapping
from typing import Any

from engine.errors import EngineError, NotFound
from engine.executions.execution import NodeExecution
from engine.executions.statuses import NodeStatus
from engine.graph.plan import Plan
from engine.graph.replay import replay
from engine.nodes.support.base import Outputs
from engine.services.runs.recorded_plans import read_plan
from engine.store import ReserveMemory, Store
from engine.store.executions.events import EventPage
from engine.store.executions.offload import object_of, part_of, size_of
from engine.store.redis.record_packing import unpack
from gateway.http.responses import encode_json

MAX_TEXT_BYTES = 2_048
MAX_URLS = 20
MAX_URL = 2_048
MAX_BYTES = 16_384
"""Most bytes of all texts and URLs of one event; sockets beyond have neither."""
MAX_READ_BYTES = 8_388_608
"""Size of an object up to which it is read for a preview."""
SCHEMES = ("http://", "https://")

Preview = dict[str, Any]
"""`urls` or `text`, and whether it is `truncated`."""


class Previews:
    """Previews of the outputs of one execution's nodes."""

    def __init__(
        self, store: Store, account_id: str, execution_id: str, reserve: ReserveMemory | None
    ) -> None:
        self._store = store
        self._ids = account_id, execution_id
        self._reserve = reserve
        self._computed: Mapping[int, Outputs] | None = None
        """Outputs of a run that was walked before its claim; they are on no record."""

    async def recompute_outputs(self, page: EventPage) -> None:
        """Compute the outputs of a run whose record leaves them out."""
        if page.walked_inputs is None or self._computed is not None:
            return
        plan = await self._plan(page)
        if plan is None:
            return
        outputs = await replay(plan, unpack(page.walked_inputs))
        self._computed = {i: each for i, each in outputs.items() if i != plan.response_output}

    async def _plan(self, page: EventPage) -> Plan | None:
        """Return the plan of the execution, None where its version or its body is gone."""
        if page.is_child:
            record = await self._store.executions.record(*self._ids)
            return await read_plan(self._store, *self._ids, record, self._reserve)
        try:
            return await self._store.workflows.plan_of_execution(
                self._ids[0], page.workflow_slug, page.workflow_version, page.model_ids
            )
        except NotFound:
            return None

    async def preview_of(self, node: NodeExecution) -> dict[str, Preview] | None:
        """Return the preview of a node's outputs, None for none on record."""
        if node.status is not NodeStatus.COMPLETED:
            return None
        if isinstance(node.outputs, str):
            packed = await self._read(node.outputs)
        else:
            packed = node.outputs
        if packed is not None:
            return preview(unpack(packed))
        computed = (self._computed or {}).get(node.index)
        return None if computed is None else preview(computed)

    async def _read(self, name: str) -> bytes | None:
        """Return offloaded outputs, None where they are too large for that or cannot be read."""
        size = size_of(object_of(name))
        if size > MAX_READ_BYTES:
            return None
        try:
            if self._reserve is not None:
                await self._reserve(size)
            data = await self._store.offloaded.read(*self._ids, object_of(name))
        except (EngineError, FileNotFoundError, TimeoutError):
            return None
        return part_of(name, data)


def preview(outputs: Mapping[str, Any]) -> dict[str, Preview]:
    """Return a preview of each output."""
    left, shown = MAX_BYTES, dict[str, Preview]()
    for socket, value in outputs.items():
        shortened = _urls(value) or _text(value)
        size = sum(map(len, shortened.get("urls", (shortened.get("text", ""),))))
        if size > left:
            shortened = {"truncated": True}
        else:
            left -= size
        shown[socket] = shortened
    return shown


def _urls(value: Any) -> Preview | None:
    """Return the URLs of a medium or of a list of media, None for other values."""
    values = value if isinstance(value, list) else [value]
    shown = values[:MAX_URLS]
    if not shown or not all(map(_is_url, shown)):
        return None
    return {"urls": shown, "truncated": len(values) > len(shown)}


def _is_url(value: Any) -> bool:
    return (
        isinstance(value, str)
        and value.startswith(SCHEMES)
        and len(value) <= MAX_URL
        and not any(map(str.isspace, value))
    )


def _text(value: Any) -> Preview:
    """Return the beginning of a text, or of another value's JSON."""
    if isinstance(value, str):
        encoded = value[:MAX_TEXT_BYTES].encode()
        is_more = len(value) > MAX_TEXT_BYTES or len(encoded) > MAX_TEXT_BYTES
    else:
        encoded = encode_json(value)
        is_more = len(encoded) > MAX_TEXT_BYTES
    return {"text": encoded[:MAX_TEXT_BYTES].decode(errors="ignore"), "truncated": is_more}
