"""Indexes for lists by workflow and status, and for charts."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the indexes."""
    op.create_index(
        "ix_executions_account_id_workflow_slug_status_created_at_id",
        "executions",
        ["account_id", "workflow_slug", "status", "created_at", "id"],
    )
    op.create_index(
        "ix_rollups_figures",
        "rollups",
        [
            *("account_id", "bucket", "dimension", "at", "key"),
            *("runs", "failed", "credits", "p50_ms", "p95_ms"),
        ],
    )
