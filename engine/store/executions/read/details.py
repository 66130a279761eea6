"""Details of an execution that lists leave out: its inputs, key, request and delivery."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors import ExecutionNotFound
from engine.store.executions.offload import size_of
from engine.store.executions.read.records import ExecutionRecords
from engine.store.executions.record_fields import parse_name
from engine.store.redis.record_packing import unpack
from engine.store.webhooks.delivery_keys import WebhookOwner
from engine.store.webhooks.owners import key_of

MAX_INPUTS_BYTES = 65_536
"""Packed size up to which inputs are shown with their execution."""


WEBHOOK_FIELDS = ("webhook_url", "webhook_events", "webhook_owner")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionDetails:
    """Details of one execution."""

    key_id: str
    """API key that started it; empty: a session did."""
    request_id: str
    """Id of the accepted HTTP request; empty: it is not known."""
    inputs: Mapping[str, Any] | None
    """Inputs by field; None: too large to be shown here, or not on record."""
    inputs_bytes: int
    """Packed size of the inputs; 0: they are not on record."""
    delivery_id: str
    """Delivery of its end to a webhook; empty: there is none."""
    delivery_key_id: str | None
    """API key of that webhook; None: it is the run's own."""


async def read_details(
    records: ExecutionRecords, account_id: str, execution_id: str
) -> ExecutionDetails:
    """Return the details of an execution. Raises ExecutionNotFound."""
    names = "status", "key", "request", "inputs", *WEBHOOK_FIELDS
    values = await records.fields(account_id, execution_id, *names)
    status, key_id, request_id, inputs, webhook_url, events, owner = values
    if status is None:
        raise ExecutionNotFound
    webhook = WebhookOwner.of_record(key_id, events, owner)
    is_told = webhook_url is not None and webhook.asks_for(f"execution.{status.decode()}")
    name = parse_name(inputs)
    size = size_of(name) if name is not None else len(inputs or b"")
    is_shown = name is None and 0 < size <= MAX_INPUTS_BYTES
    return ExecutionDetails(
        key_id=(key_id or b"").decode(),
        request_id=(request_id or b"").decode(),
        inputs=unpack(inputs) if inputs and is_shown else None,
        inputs_bytes=size,
        delivery_id=execution_id if is_told else "",
        delivery_key_id=key_of(webhook.name),
    )
