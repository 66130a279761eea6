"""Tables of the history and their indexes; `migrations` creates them.

Times are milliseconds since the epoch. A row about an execution is found by its account first.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects import postgresql

metadata = MetaData(
    naming_convention={"pk": "pk_%(table_name)s", "ix": "ix_%(table_name)s_%(column_0_N_name)s"}
)

# Ids and names are ordered by their bytes, as in Redis and by cursors.
Name = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
Milliseconds = BigInteger

executions = Table(
    "executions",
    metadata,
    Column("account_id", Name, primary_key=True),
    Column("id", Name, primary_key=True),
    Column("created_at", Milliseconds, nullable=False),
    Column("started_at", Milliseconds),
    Column("completed_at", Milliseconds, nullable=False),
    Column("duration_ms", BigInteger, nullable=False),
    Column("status", Name, nullable=False),
    Column("source", Name, nullable=False),
    Column("workflow_slug", Name),
    Column("workflow_version", Integer),
    Column("key_id", Name),
    Column("error_code", Name),
    Column("model_ids", Name),
    Column("credits", BigInteger, nullable=False),
    Column("micro_usd", BigInteger, nullable=False),
    Column("markup", Name, nullable=False),
    Column("owner_id", Name),
    Column("retry_of", Name),
    Column("retried_by", Name),
    Column("http_request_id", Name),
    Column("has_objects", Boolean, nullable=False),
    Column("record_bytes", BigInteger, nullable=False),
    Column("error", Text),
    Column("warnings", Text),
    Column("result", LargeBinary),
    Column("result_bytes", BigInteger, nullable=False),
    Column("tags", Text),
    Column("batch_id", Name),
    Column("item", Integer),
    Column("trigger_id", Name),
    Column("occurrence_id", Name),
    Column("trace_id", Name),
    Column("alias", Name),
)
"""Ended executions, with a column for each filter of lists.

NULL stands for none. An execution of another account's workflow has no version and models, as its
caller sees it. `model_ids` are joined by commas, `error` and `warnings` are JSON, `result` is a
value as `packing` makes it, `result_bytes` its size before that, which for an object of the media
store is the object's, and `record_bytes` the size of the record before its compression. `tags` are
lines as `tag_lines` makes them, `batch_id` and `item` the place of an item of a batch, `trigger_id`
and `occurrence_id` the occurrence that started it, `trace_id` the trace that it belongs to, `alias`
the alias that chose its version.
"""

Index(None, executions.c.account_id, executions.c.created_at, executions.c.id)
for _filter in (
    *("status", "workflow_slug", "source", "key_id", "error_code", "workflow_version"),
    *("http_request_id", "retry_of"),
):
    Index(None, *(executions.c[each] for each in ("account_id", _filter, "created_at", "id")))
for _filter in ("batch_id", "trigger_id", "trace_id"):
    _has_value = text(f"{_filter} IS NOT NULL")  # others cost the index nothing
    Index(
        None,
        *(executions.c[each] for each in ("account_id", _filter, "created_at", "id")),
        sqlite_where=_has_value,
        postgresql_where=_has_value,
    )
Index(
    None,
    *(executions.c[each] for each in ("account_id", "workflow_slug", "status", "created_at", "id")),
)

child_executions = Table(
    "child_executions",
    metadata,
    Column("account_id", Name, primary_key=True),
    Column("id", Name, primary_key=True),
    Column("parent_id", Name, nullable=False),
    Column("parent_node_id", Name, nullable=False),
    Column("child_index", Integer, nullable=False),
    Column("root_id", Name, nullable=False),
    Column("depth", Integer, nullable=False),
    Column("created_at", Milliseconds, nullable=False),
    Column("started_at", Milliseconds),
    Column("completed_at", Milliseconds, nullable=False),
    Column("duration_ms", BigInteger, nullable=False),
    Column("status", Name, nullable=False),
    Column("source", Name, nullable=False),
    Column("workflow_slug", Name),
    Column("workflow_version", Integer),
    Column("error_code", Name),
    Column("model_ids", Name),
    Column("credits", BigInteger, nullable=False),
    Column("micro_usd", BigInteger, nullable=False),
    Column("markup", Name, nullable=False),
    Column("owner_id", Name),
    Column("retry_of", Name),
    Column("has_objects", Boolean, nullable=False),
    Column("record_bytes", BigInteger, nullable=False),
    Column("error", Text),
    Column("warnings", Text),
    Column("result", LargeBinary),
    Column("result_bytes", BigInteger, nullable=False),
)
"""Ended executions that a node of another one began, as `executions` has the others.

They are in no list and in no figures but those of their parent. `parent_node_id` is the node of the
parent, `child_index` the item from 0, and `depth` the number of executions above, at least 1.
"""

_child = child_executions.c
Index(
    "ix_child_executions_items",
    *(_child[each] for each in ("account_id", "parent_id", "parent_node_id", "child_index")),
)
Index(None, _child.account_id, _child.created_at, _child.id)

execution_models = Table(
    "execution_models",
    metadata,
    Column("account_id", Name, primary_key=True),
    Column("model_id", Name, primary_key=True),
    Column("created_at", Milliseconds, primary_key=True),
    Column("execution_id", Name, primary_key=True),
    sqlite_with_rowid=False,
)
"""Models of executions, one row each, for the filter by model."""

execution_tags = Table(
    "execution_tags",
    metadata,
    Column("account_id", Name, primary_key=True),
    Column("tag", Name, primary_key=True),
    Column("created_at", Milliseconds, primary_key=True),
    Column("execution_id", Name, primary_key=True),
    sqlite_with_rowid=False,
)
"""Tags of executions, one row each, for the filter by tag."""

execution_records = Table(
    "execution_records",
    metadata,
    Column("account_id", Name, primary_key=True),
    Column("execution_id", Name, primary_key=True),
    Column("record", LargeBinary, nullable=False),
)
"""Records of executions as Redis had them, without the result: inputs, nodes, outputs, events."""

nodes = Table(
    "nodes",
    metadata,
    Column("account_id", Name, primary_key=True),
    Column("execution_id", Name, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("node_id", Name),
    Column("type", Name),
    Column("status", Name, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("started_at", Milliseconds),
    Column("duration_ms", BigInteger),
    Column("credits", BigInteger, nullable=False),
    Column("error_code", Name),
    sqlite_with_rowid=False,
)
"""Nodes of executions that were reached, for queries of operators; values are in the record.

`position` is that in the plan. Id and type are NULL where they are not on record any more.
"""

deliveries = Table(
    "deliveries",
    metadata,
    Column("account_id", Name, primary_key=True),
    Column("id", Name, primary_key=True),
    Column("key_id", Name, nullable=False),
    Column("execution_id", Name),
    Column("event", Name, nullable=False),
    Column("status", Name, nullable=False),
    Column("created_at", Milliseconds, nullable=False),
    Column("settled_at", Milliseconds, nullable=False),
    Column("url", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("record", LargeBinary, nullable=False),
    Column("sequence", BigInteger),
    Column("batch_id", Name),
)
"""Ended deliveries; one that ended again after a redelivery, with a higher fence, replaces it.

`record` is the delivery as Redis had it, with its attempts. `key_id` is the owner of its webhook:
an API key, `run:<execution>` or `batch:<batch>`. `sequence` is its number for that webhook.
"""

Index(None, deliveries.c.account_id, deliveries.c.created_at, deliveries.c.id)
for _filter in ("key_id", "status", "execution_id"):
    Index(None, *(deliveries.c[each] for each in ("account_id", _filter, "created_at", "id")))
Index(
    None, *(deliveries.c[each] for each in ("account_id", "key_id", "status", "created_at", "id"))
)

batches = Table(
    "batches",
    metadata,
    Column("account_id", Name, primary_key=True),
    Column("id", Name, primary_key=True),
    Column("status", Name, nullable=False),
    Column("created_at", Milliseconds, nullable=False),
    Column("completed_at", Milliseconds, nullable=False),
    Column("credits", BigInteger, nullable=False),
    Column("items", Integer, nullable=False),
    Column("completed", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("cancelled", Integer, nullable=False),
    Column("workflow_slug", Name),
    Column("owner_id", Name),
    Column("key_id", Name),
    Column("retry_of", Name),
    Column("workflow_version", Integer),
    Column("tags", Text),
    Column("has_objects", Boolean, nullable=False),
    Column("record", LargeBinary, nullable=False),
    Column("inputs", LargeBinary, nullable=False),
)
"""Batches that are over: `record` as Redis had them, and `inputs`, those of their items."""

Index(None, batches.c.account_id, batches.c.created_at, batches.c.id)

occurrences = Table(
    "occurrences",
    metadata,
    Column("account_id", Name, primary_key=True),
    Column("trigger_id", Name, primary_key=True),
    Column("at", Milliseconds, primary_key=True),
    Column("id", Name, primary_key=True),
    Column("status", Name, nullable=False),
    Column("reason", Name),
    Column("execution_id", Name),
    Column("count", Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""Occurrences of triggers; `at` is the due time, or that of the event.

`execution_id` is NULL unless a run was started, and `count` the number of due times that the row
stands for.
"""

_occurrence = occurrences.c
Index(None, *(_occurrence[each] for each in ("account_id", "trigger_id", "status", "at", "id")))
Index(None, _occurrence.account_id, _occurrence.id)
Index(None, _occurrence.account_id, _occurrence.at)

ledger_entries = Table(
    "ledger_entries",
    metadata,
    Column("account_id", Name, primary_key=True),
    Column("at", Milliseconds, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("kind", Name, nullable=False),
    Column("bucket", Name, nullable=False),
    Column("credits", BigInteger, nullable=False),
    Column("reserved", BigInteger, nullable=False),
    Column("balance", BigInteger, nullable=False),
    Column("execution_id", Name),
    Column("node", Integer),
    Column("note", Text),
    Column("child_id", Name),
)
"""Movements of credits; `at` and `number` are the id of the entry of the account's stream.

`execution_id` is the root that paid, and `child_id` the execution below it whose node it was for.
"""

Index(
    None,
    *(ledger_entries.c[each] for each in ("account_id", "execution_id", "at", "number")),
)

ledger_positions = Table(
    "ledger_positions",
    metadata,
    Column("account_id", Name, primary_key=True),
    Column("at", Milliseconds, nullable=False),
    Column("number", BigInteger, nullable=False),
)
"""Last archived entry of each account's ledger."""

ledger_carried = Table(
    "ledger_carried",
    metadata,
    Column("account_id", Name, primary_key=True),
    Column("bucket", Name, primary_key=True),
    Column("credits", BigInteger, nullable=False),
    Column("reserved", BigInteger, nullable=False),
)
"""Sums of the entries that are in no row: from before the history, or removed after retention."""

audit_entries = Table(
    "audit_entries",
    metadata,
    Column("at", Milliseconds, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("stream", Integer, primary_key=True),
    Column("by", Name, nullable=False),
    Column("action", Name, nullable=False),
    Column("subject", Name, nullable=False),
    Column("before", Text),
    Column("after", Text),
)
"""Administrative acts; the primary key is the id of the entry. `before` and `after` are JSON."""

rollups = Table(
    "rollups",
    metadata,
    Column("account_id", Name, primary_key=True),
    Column("bucket", Name, primary_key=True),
    Column("dimension", Name, primary_key=True),
    Column("at", Milliseconds, primary_key=True),
    Column("key", Name, primary_key=True),
    Column("runs", BigInteger, nullable=False),
    Column("failed", BigInteger, nullable=False),
    Column("credits", BigInteger, nullable=False),
    Column("durations", LargeBinary, nullable=False),
    Column("p50_ms", BigInteger, nullable=False),
    Column("p95_ms", BigInteger, nullable=False),
)
"""Figures of the archived executions that were created in a minute, hour or day (UTC).

`bucket` is `minute`, `hour` or `day`, `at` its start, `dimension` is `workflow`, `model`, `key` or
`status`, and `key` its value, empty for none. `durations` is a sketch as `sketches` makes it, and
`p50_ms` and `p95_ms` are its quantiles.
"""

Index(
    "ix_rollups_figures",
    *(
        rollups.c[each]
        for each in (
            *("account_id", "bucket", "dimension", "at", "key"),
            *("runs", "failed", "credits", "p50_ms", "p95_ms"),
        )
    ),
)  # charts read it alone, in order and without sketches

archive_state = Table(
    "archive_state",
    metadata,
    Column("name", Name, primary_key=True),
    Column("value", Name, nullable=False),
)
"""Facts about the archive: `database` is its id, `audit.<stream>` the last archived entry."""
