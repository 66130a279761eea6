"""Aliases of executions.

It only adds, with a default: an archiver of revision 0005 writes its columns alone.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

NAME = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the column."""
    op.add_column("executions", sa.Column("alias", NAME))
