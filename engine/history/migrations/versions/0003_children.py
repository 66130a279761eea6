"""Executions that a node of another one began, in a table of their own.

It only adds: an archiver of revision 0002 writes its tables alone.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

NAME = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table and its indexes, and the column of the ledger."""
    names = ("account_id", "id", "parent_id", "parent_node_id", "root_id")
    optional = ("workflow_slug", "error_code", "model_ids", "owner_id", "retry_of")
    times = ("created_at", "completed_at", "duration_ms")
    sizes = ("credits", "micro_usd", "record_bytes", "result_bytes")
    op.create_table(
        "child_executions",
        *_columns(NAME, *names),
        *_columns(sa.Integer(), "child_index", "depth"),
        *_columns(sa.BigInteger(), *times),
        sa.Column("started_at", sa.BigInteger()),
        *_columns(NAME, "status", "source", "markup"),
        *_columns(NAME, *optional, nullable=True),
        sa.Column("workflow_version", sa.Integer()),
        *_columns(sa.BigInteger(), *sizes),
        sa.Column("has_objects", sa.Boolean(), nullable=False),
        *_columns(sa.Text(), "error", "warnings", nullable=True),
        sa.Column("result", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("account_id", "id", name="pk_child_executions"),
    )
    _create_index("items", "account_id", "parent_id", "parent_node_id", "child_index")
    _create_index("account_id_created_at_id", "account_id", "created_at", "id")
    op.add_column("ledger_entries", sa.Column("child_id", NAME))
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE child_executions ALTER COLUMN result SET STORAGE EXTERNAL")


def _columns(kind: Any, *names: str, nullable: bool = False) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind, nullable=nullable) for name in names]


def _create_index(name: str, *columns: str) -> None:
    op.create_index(f"ix_child_executions_{name}", "child_executions", columns)
