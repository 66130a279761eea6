"""Tags and batches of executions, batches, and lists of deliveries beside those of one key.

It only adds, with defaults: an archiver of revision 0001 writes its columns alone.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

NAME = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the columns, the tables and their indexes."""
    _add_to_executions()
    _add_to_deliveries()
    _create_batches()


def _add_to_executions() -> None:
    for name, kind in (("tags", sa.Text()), ("batch_id", NAME), ("item", sa.Integer())):
        op.add_column("executions", sa.Column(name, kind))
    is_item = sa.text("batch_id IS NOT NULL")  # rows that are there cost no time
    options = {"sqlite_where": is_item, "postgresql_where": is_item}
    _create_index("executions", "batch_id", "created_at", "id", **options)
    key = ["account_id", "tag", "created_at", "execution_id"]
    op.create_table(
        "execution_tags",
        *(sa.Column(name, NAME, nullable=False) for name in ("account_id", "tag", "execution_id")),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(*key, name="pk_execution_tags"),
        sqlite_with_rowid=False,
    )


def _add_to_deliveries() -> None:
    for name, kind in (("sequence", sa.BigInteger()), ("batch_id", NAME)):
        op.add_column("deliveries", sa.Column(name, kind))
    _create_index("deliveries", "status", "created_at", "id")
    _create_index("deliveries", "execution_id", "created_at", "id")


def _create_batches() -> None:
    numbers = ("created_at", "completed_at", "credits")
    counts = ("items", "completed", "failed", "cancelled")
    op.create_table(
        "batches",
        *(sa.Column(name, NAME, nullable=False) for name in ("account_id", "id", "status")),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in numbers),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in counts),
        *(sa.Column(name, NAME) for name in ("workflow_slug", "owner_id", "key_id", "retry_of")),
        sa.Column("workflow_version", sa.Integer()),
        sa.Column("tags", sa.Text()),
        sa.Column("has_objects", sa.Boolean(), nullable=False),
        *(sa.Column(name, sa.LargeBinary(), nullable=False) for name in ("record", "inputs")),
        sa.PrimaryKeyConstraint("account_id", "id", name="pk_batches"),
    )
    _create_index("batches", "created_at", "id")
    if op.get_bind().dialect.name == "postgresql":
        for name in ("record", "inputs"):
            op.execute(f"ALTER TABLE batches ALTER COLUMN {name} SET STORAGE EXTERNAL")


def _create_index(table: str, *columns: str, **options: Any) -> None:
    """Create an index of an account's rows."""
    names = ["account_id", *columns]
    op.create_index(f"ix_{table}_{'_'.join(names)}", table, names, **options)
