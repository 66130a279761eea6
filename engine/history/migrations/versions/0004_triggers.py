"""Triggers of executions, and their occurrences in a table of their own.

It only adds, with defaults: an archiver of revision 0003 writes its columns alone.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

NAME = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the columns, the table and their indexes."""
    for name in ("trigger_id", "occurrence_id"):
        op.add_column("executions", sa.Column(name, NAME))
    has_trigger = sa.text("trigger_id IS NOT NULL")  # rows that are there cost no time
    op.create_index(
        "ix_executions_account_id_trigger_id_created_at_id",
        "executions",
        ["account_id", "trigger_id", "created_at", "id"],
        sqlite_where=has_trigger,
        postgresql_where=has_trigger,
    )
    key = ["account_id", "trigger_id", "at", "id"]
    op.create_table(
        "occurrences",
        *(sa.Column(name, NAME, nullable=False) for name in ("account_id", "trigger_id", "id")),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("status", NAME, nullable=False),
        *(sa.Column(name, NAME) for name in ("reason", "execution_id")),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(*key, name="pk_occurrences"),
        sqlite_with_rowid=False,
    )
    _create_index("trigger_id", "status", "at", "id")
    _create_index("id")
    _create_index("at")


def _create_index(*columns: str) -> None:
    names = ["account_id", *columns]
    op.create_index(f"ix_occurrences_{'_'.join(names)}", "occurrences", names)
