"""Tables of the history."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NAME = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")
COMPRESSED = {"executions": "result", "execution_records": "record", "deliveries": "record"}


def upgrade() -> None:
    """Create the tables and their indexes."""
    _create_executions()
    _create_parts_of_executions()
    _create_entries()
    _create_rollups()
    if op.get_bind().dialect.name == "postgresql":
        for table, column in COMPRESSED.items():
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE EXTERNAL")


def _create_executions() -> None:
    op.create_table(
        "executions",
        sa.Column("account_id", NAME, nullable=False),
        sa.Column("id", NAME, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger()),
        sa.Column("completed_at", sa.BigInteger(), nullable=False),
        sa.Column("duration_ms", sa.BigInteger(), nullable=False),
        sa.Column("status", NAME, nullable=False),
        sa.Column("source", NAME, nullable=False),
        sa.Column("workflow_slug", NAME),
        sa.Column("workflow_version", sa.Integer()),
        sa.Column("key_id", NAME),
        sa.Column("error_code", NAME),
        sa.Column("model_ids", NAME),
        sa.Column("credits", sa.BigInteger(), nullable=False),
        sa.Column("micro_usd", sa.BigInteger(), nullable=False),
        sa.Column("markup", NAME, nullable=False),
        sa.Column("owner_id", NAME),
        sa.Column("retry_of", NAME),
        sa.Column("retried_by", NAME),
        sa.Column("http_request_id", NAME),
        sa.Column("has_objects", sa.Boolean(), nullable=False),
        sa.Column("record_bytes", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.Text()),
        sa.Column("warnings", sa.Text()),
        sa.Column("result", sa.LargeBinary()),
        sa.Column("result_bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id", name="pk_executions"),
    )
    op.create_index(
        "ix_executions_account_id_created_at_id", "executions", ["account_id", "created_at", "id"]
    )
    op.create_index(
        "ix_executions_account_id_error_code_created_at_id",
        "executions",
        ["account_id", "error_code", "created_at", "id"],
    )
    op.create_index(
        "ix_executions_account_id_key_id_created_at_id",
        "executions",
        ["account_id", "key_id", "created_at", "id"],
    )
    op.create_index(
        "ix_executions_account_id_http_request_id", "executions", ["account_id", "http_request_id"]
    )
    op.create_index("ix_executions_account_id_retry_of", "executions", ["account_id", "retry_of"])
    op.create_index(
        "ix_executions_account_id_source_created_at_id",
        "executions",
        ["account_id", "source", "created_at", "id"],
    )
    op.create_index(
        "ix_executions_account_id_status_created_at_id",
        "executions",
        ["account_id", "status", "created_at", "id"],
    )
    op.create_index(
        "ix_executions_account_id_workflow_slug_created_at_id",
        "executions",
        ["account_id", "workflow_slug", "created_at", "id"],
    )
    op.create_index(
        "ix_executions_account_id_workflow_slug_status_created_at_id",
        "executions",
        ["account_id", "workflow_slug", "status", "created_at", "id"],
    )
    op.create_index(
        "ix_executions_account_id_workflow_version_created_at_id",
        "executions",
        ["account_id", "workflow_version", "created_at", "id"],
    )


def _create_parts_of_executions() -> None:
    op.create_table(
        "deliveries",
        sa.Column("account_id", NAME, nullable=False),
        sa.Column("id", NAME, nullable=False),
        sa.Column("key_id", NAME, nullable=False),
        sa.Column("execution_id", NAME),
        sa.Column("event", NAME, nullable=False),
        sa.Column("status", NAME, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id", name="pk_deliveries"),
    )
    op.create_index(
        "ix_deliveries_account_id_created_at_id", "deliveries", ["account_id", "created_at", "id"]
    )
    op.create_index(
        "ix_deliveries_account_id_key_id_created_at_id",
        "deliveries",
        ["account_id", "key_id", "created_at", "id"],
    )
    op.create_index(
        "ix_deliveries_account_id_key_id_status_created_at_id",
        "deliveries",
        ["account_id", "key_id", "status", "created_at", "id"],
    )
    op.create_table(
        "execution_models",
        sa.Column("account_id", NAME, nullable=False),
        sa.Column("model_id", NAME, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("execution_id", NAME, nullable=False),
        sa.PrimaryKeyConstraint(
            "account_id", "model_id", "created_at", "execution_id", name="pk_execution_models"
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "execution_records",
        sa.Column("account_id", NAME, nullable=False),
        sa.Column("execution_id", NAME, nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "execution_id", name="pk_execution_records"),
    )
    op.create_table(
        "nodes",
        sa.Column("account_id", NAME, nullable=False),
        sa.Column("execution_id", NAME, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("node_id", NAME),
        sa.Column("type", NAME),
        sa.Column("status", NAME, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.BigInteger()),
        sa.Column("duration_ms", sa.BigInteger()),
        sa.Column("credits", sa.BigInteger(), nullable=False),
        sa.Column("error_code", NAME),
        sa.PrimaryKeyConstraint("account_id", "execution_id", "position", name="pk_nodes"),
        sqlite_with_rowid=False,
    )


def _create_entries() -> None:
    op.create_table(
        "archive_state",
        sa.Column("name", NAME, nullable=False),
        sa.Column("value", NAME, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_archive_state"),
    )
    op.create_table(
        "audit_entries",
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("stream", sa.Integer(), nullable=False),
        sa.Column("by", NAME, nullable=False),
        sa.Column("action", NAME, nullable=False),
        sa.Column("subject", NAME, nullable=False),
        sa.Column("before", sa.Text()),
        sa.Column("after", sa.Text()),
        sa.PrimaryKeyConstraint("at", "number", "stream", name="pk_audit_entries"),
    )
    op.create_table(
        "ledger_carried",
        sa.Column("account_id", NAME, nullable=False),
        sa.Column("bucket", NAME, nullable=False),
        sa.Column("credits", sa.BigInteger(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "bucket", name="pk_ledger_carried"),
    )
    op.create_table(
        "ledger_entries",
        sa.Column("account_id", NAME, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("kind", NAME, nullable=False),
        sa.Column("bucket", NAME, nullable=False),
        sa.Column("credits", sa.BigInteger(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.Column("balance", sa.BigInteger(), nullable=False),
        sa.Column("execution_id", NAME),
        sa.Column("node", sa.Integer()),
        sa.Column("note", sa.Text()),
        sa.PrimaryKeyConstraint("account_id", "at", "number", name="pk_ledger_entries"),
    )
    op.create_index(
        "ix_ledger_entries_account_id_execution_id_at_number",
        "ledger_entries",
        ["account_id", "execution_id", "at", "number"],
    )
    op.create_table(
        "ledger_positions",
        sa.Column("account_id", NAME, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name="pk_ledger_positions"),
    )


def _create_rollups() -> None:
    op.create_table(
        "rollups",
        sa.Column("account_id", NAME, nullable=False),
        sa.Column("bucket", NAME, nullable=False),
        sa.Column("dimension", NAME, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("key", NAME, nullable=False),
        sa.Column("runs", sa.BigInteger(), nullable=False),
        sa.Column("failed", sa.BigInteger(), nullable=False),
        sa.Column("credits", sa.BigInteger(), nullable=False),
        sa.Column("durations", sa.LargeBinary(), nullable=False),
        sa.Column("p50_ms", sa.BigInteger(), nullable=False),
        sa.Column("p95_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "account_id", "bucket", "dimension", "at", "key", name="pk_rollups"
        ),
    )
    op.create_index(
        "ix_rollups_figures",
        "rollups",
        [
            *("account_id", "bucket", "dimension", "at", "key"),
            *("runs", "failed", "credits", "p50_ms", "p95_ms"),
        ],
    )
