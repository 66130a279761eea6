"""Rows of ended executions, made of their records in Redis."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from engine.executions.execution import Execution, NodeExecution
from engine.graph.plan import NodeName
from engine.history.packing import compress, decompress
from engine.history.tag_lines import pack_tag_lines
from engine.store.archive.ended_executions import EVENT, EndedRecord
from engine.store.executions.read.results import result_size
from engine.store.executions.record_fields import BOOK, HEAD_FIELDS, parse_head, parse_nodes
from engine.store.formats import Format
from engine.store.redis.record_packing import pack, unpack

RESULT = "result"

Row = dict[str, Any]

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionRows:
    """Rows of one execution, by table."""

    execution: Row
    record: Row
    models: Sequence[Row]
    tags: Sequence[Row]
    nodes: Sequence[Row]

    @property
    def is_child(self) -> bool:
        """Return whether the execution has its row in the table of children."""
        return "parent_id" in self.execution


def make_rows(ended: EndedRecord, names: Sequence[NodeName]) -> ExecutionRows:
    """Return the rows of an ended execution; `names` are those of its nodes, none if not known.

    An execution of another account's workflow has no version, models and nodes there. Raises
    ValueError for a record of a later format: a release that knows it archives it.
    """
    fields = ended.fields
    if not Format.EXECUTION.knows(fields):
        raise ValueError("a record of a later format")
    ids: Row = {"account_id": ended.account_id, "execution_id": ended.execution_id}
    values = [fields.get(name) for name in HEAD_FIELDS]
    execution = parse_head(ended.account_id, ended.execution_id, values)
    packed = pack({"fields": _kept(fields), "events": ended.events})
    is_root = execution.child is None
    return ExecutionRows(
        execution=_execution_row(execution, fields, len(packed)),
        record=ids | {"record": compress(packed)},
        models=[
            ids | {"model_id": each, "created_at": execution.created_at}
            for each in dict.fromkeys(execution.model_ids if is_root else ())
        ],
        tags=[
            ids | {"tag": each, "created_at": execution.created_at}
            for each in dict.fromkeys(execution.tags if is_root else ())
        ],
        nodes=[
            ids | _node_row(node, names)
            for node in (() if execution.owner_id else parse_nodes(fields))
            if node.attempts
        ],
    )


def parse_record(
    account_id: str, execution_id: str, record: bytes, result: bytes | None
) -> EndedRecord:
    """Return the record of an execution as Redis had it, of the columns `record` and `result`."""
    stored = unpack(decompress(record))
    fields = stored["fields"] | {RESULT: b"" if result is None else decompress(result)}
    return EndedRecord(
        account_id=account_id, execution_id=execution_id, fields=fields, events=stored["events"]
    )


def _kept(fields: dict[str, bytes]) -> dict[str, bytes]:
    """Return the fields of the packed record: event and book that it began with are none."""
    return {name: value for name, value in fields.items() if name not in (RESULT, EVENT, BOOK)}


def _execution_row(execution: Execution, fields: dict[str, bytes], size: int) -> Row:
    """Return the row of an execution, with the columns of the table that it belongs to."""
    row = _common_row(execution, fields, size)
    place = execution.child
    if place is not None:
        return row | {
            "parent_id": place.parent_id,
            "parent_node_id": plain(place.node_id),
            "child_index": place.index,
            "root_id": place.root_id,
            "depth": place.depth,
        }
    return row | {
        "key_id": _text(fields, "key"),
        "retried_by": _text(fields, "retry"),
        "http_request_id": _text(fields, "request"),
        "tags": pack_tag_lines(execution.tags),
        "batch_id": execution.batch_id,
        "item": execution.batch_index,
        "trigger_id": execution.trigger_id,
        "occurrence_id": execution.occurrence_id,
        "trace_id": execution.trace_id,
        "alias": execution.alias,
    }


def _common_row(execution: Execution, fields: dict[str, bytes], size: int) -> Row:
    error, result = execution.error, fields.get(RESULT)
    return {
        "account_id": execution.account_id,
        "id": execution.id,
        "created_at": execution.created_at,
        "started_at": execution.started_at,
        "completed_at": execution.completed_at,
        "duration_ms": execution.duration_ms,
        "status": execution.status.value,
        "source": execution.source,
        "workflow_slug": execution.workflow_slug or None,
        "workflow_version": execution.workflow_version or None,
        "error_code": error.get("code") if error else None,
        "model_ids": ",".join(execution.model_ids) or None,
        "credits": execution.credits_cost,
        "micro_usd": execution.micro_usd,
        "markup": str(execution.markup),
        "owner_id": execution.owner_id or None,
        "retry_of": execution.retry_of,
        "has_objects": "has_objects" in fields,
        "record_bytes": size,
        "error": _encode(error).decode() if error else None,
        "warnings": _encode(execution.warnings).decode() if execution.warnings else None,
        "result": compress(result) if result else None,
        "result_bytes": result_size(result),
    }


def _node_row(node: NodeExecution, names: Sequence[NodeName]) -> Row:
    name = names[node.index] if node.index < len(names) else None
    return {
        "position": node.index,
        "node_id": plain(name.id) if name else None,
        "type": name.type if name else None,
        "status": node.status.value,
        "attempts": node.attempts,
        "started_at": node.started_at,
        "duration_ms": node.duration_ms,
        "credits": node.credits_cost,
        "error_code": node.error.get("code") if node.error else None,
    }


def _text(fields: dict[str, bytes], name: str) -> str | None:
    value = fields.get(name)
    return plain(value.decode(errors="replace")) if value else None


def plain(text: str) -> str:
    """Return a text without the character that PostgreSQL does not store."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")
