"""Records of ended executions as traces need them: without inputs, outputs and results."""

from collections.abc import Sequence

from engine.store.archive.ended_executions import EndedRecord
from engine.store.executions.record_fields import parse_hash
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS


async def read_trace_record(
    client: Client, account_id: str, execution_id: str, fields: Sequence[str]
) -> EndedRecord | None:
    """Return these fields of a record and those of its nodes; None: Redis has forgotten it.

    Raises Unavailable.
    """
    reply = await client.call(
        SCRIPTS["read_trace_record"],
        execution=keyspace.execution(account_id, execution_id),
        fields=fields,
    )
    record = parse_hash(reply)
    if "status" not in record:
        return None
    return EndedRecord(account_id=account_id, execution_id=execution_id, fields=record)
