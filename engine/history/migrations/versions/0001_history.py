"""Tables of the history."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NAME = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")
NUMBER = sa.BigInteger()
DATA = sa.LargeBinary()
COMPRESSED = {"executions": "result", "execution_records": "record", "deliveries": "record"}


def upgrade() -> None:
    """Create the tables and their indexes."""
    _create_executions()
    _create_parts_of_executions()
    _create_deliveries()
    _create_entries()
    _create_rollups()
    if op.get_bind().dialect.name == "postgresql":
        for table, column in COMPRESSED.items():
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE EXTERNAL")


def _create_executions() -> None:
    _create_table(
        "executions",
        ["account_id", "id"],
        *_columns(NUMBER, "created_at", "completed_at", "duration_ms"),
        *_columns(NUMBER, "started_at", is_nullable=True),
        *_columns(NAME, "status", "source", "markup"),
        *_columns(NAME, "workflow_slug", "key_id", "error_code", "model_ids", is_nullable=True),
        *_columns(NAME, "owner_id", "retry_of", "retried_by", "http_request_id", is_nullable=True),
        *_columns(sa.Integer(), "workflow_version", is_nullable=True),
        *_columns(NUMBER, "credits", "micro_usd", "record_bytes", "result_bytes"),
        *_columns(sa.Boolean(), "has_objects"),
        *_columns(sa.Text(), "error", "warnings", is_nullable=True),
        *_columns(DATA, "result", is_nullable=True),
    )
    _create_index("executions", "created_at", "id")
    for name in (
        *("status", "workflow_slug", "source", "key_id", "error_code", "workflow_version"),
        *("http_request_id", "retry_of"),
    ):
        _create_index("executions", name, "created_at", "id")
    _create_index("executions", "workflow_slug", "status", "created_at", "id")


def _create_parts_of_executions() -> None:
    _create_table(
        "execution_models",
        ["account_id", "model_id", "created_at", "execution_id"],
        *_columns(NUMBER, "created_at"),
        sqlite_with_rowid=False,
    )
    _create_table("execution_records", ["account_id", "execution_id"], *_columns(DATA, "record"))
    _create_table(
        "nodes",
        ["account_id", "execution_id", "position"],
        *_columns(sa.Integer(), "position", "attempts"),
        *_columns(NAME, "status"),
        *_columns(NAME, "node_id", "type", "error_code", is_nullable=True),
        *_columns(NUMBER, "credits"),
        *_columns(NUMBER, "started_at", "duration_ms", is_nullable=True),
        sqlite_with_rowid=False,
    )


def _create_deliveries() -> None:
    _create_table(
        "deliveries",
        ["account_id", "id"],
        *_columns(NAME, "key_id", "event", "status"),
        *_columns(NAME, "execution_id", is_nullable=True),
        *_columns(NUMBER, "created_at", "settled_at", "fence"),
        *_columns(sa.Text(), "url"),
        *_columns(sa.Integer(), "attempts"),
        *_columns(DATA, "record"),
    )
    _create_index("deliveries", "created_at", "id")
    _create_index("deliveries", "key_id", "created_at", "id")
    _create_index("deliveries", "key_id", "status", "created_at", "id")


def _create_entries() -> None:
    _create_table("archive_state", ["name"], *_columns(NAME, "value"))
    _create_table(
        "audit_entries",
        ["at", "number", "stream"],
        *_columns(NUMBER, "at", "number"),
        *_columns(sa.Integer(), "stream"),
        *_columns(NAME, "by", "action", "subject"),
        *_columns(sa.Text(), "before", "after", is_nullable=True),
    )
    _create_table(
        "ledger_entries",
        ["account_id", "at", "number"],
        *_columns(NUMBER, "at", "number", "credits", "reserved", "balance"),
        *_columns(NAME, "kind", "bucket"),
        *_columns(NAME, "execution_id", is_nullable=True),
        *_columns(sa.Integer(), "node", is_nullable=True),
        *_columns(sa.Text(), "note", is_nullable=True),
    )
    _create_index("ledger_entries", "execution_id", "at", "number")
    _create_table("ledger_positions", ["account_id"], *_columns(NUMBER, "at", "number"))
    sums = _columns(NUMBER, "credits", "reserved")
    _create_table("ledger_carried", ["account_id", "bucket"], *sums)


def _create_rollups() -> None:
    key = ["account_id", "bucket", "dimension", "at", "key"]
    figures = ["runs", "failed", "credits", "p50_ms", "p95_ms"]
    _create_table("rollups", key, *_columns(NUMBER, "at", *figures), *_columns(DATA, "durations"))
    op.create_index("ix_rollups_figures", "rollups", [*key, *figures])


def _columns(kind: Any, *names: str, is_nullable: bool = False) -> Iterable[sa.Column[Any]]:
    return [sa.Column(name, kind, nullable=is_nullable) for name in names]


def _create_table(name: str, key: list[str], *columns: sa.Column[Any], **options: Any) -> None:
    """Create a table; columns of its key that are not given are names."""
    given = {column.name for column in columns}
    names = _columns(NAME, *(each for each in key if each not in given))
    primary_key = sa.PrimaryKeyConstraint(*key, name=f"pk_{name}")
    op.create_table(name, *names, *columns, primary_key, **options)


def _create_index(table: str, *columns: str) -> None:
    """Create an index of an account's rows."""
    names = ["account_id", *columns]
    op.create_index(f"ix_{table}_{'_'.join(names)}", table, names)
