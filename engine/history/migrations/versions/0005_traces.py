"""Traces of executions.

It only adds, with a default: an archiver of revision 0004 writes its columns alone.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

NAME = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the column and its index."""
    op.add_column("executions", sa.Column("trace_id", NAME))
    has_trace = sa.text("trace_id IS NOT NULL")  # rows that are there cost no time
    op.create_index(
        "ix_executions_account_id_trace_id_created_at_id",
        "executions",
        ["account_id", "trace_id", "created_at", "id"],
        sqlite_where=has_trace,
        postgresql_where=has_trace,
    )
