"""How the commands show accounts, keys and workflows: the wire's names, times in ISO 8601."""

from datetime import UTC, datetime
from typing import Any

from engine.store import Account, ApiKey, Workflow


def iso_time(milliseconds: int) -> str:
    """The instant in UTC, to the millisecond."""
    instant = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def account_row(account: Account) -> dict[str, Any]:
    """One account."""
    return {
        "id": account.id,
        "email": account.email,
        "tier": account.tier.value,
        "role": account.role.value,
        "approved": account.approved,
        "createdAt": iso_time(account.created_at),
    }


def key_row(key: ApiKey) -> dict[str, Any]:
    """One key, without its secret."""
    return {
        "id": key.id,
        "accountId": key.account_id,
        "name": key.name,
        "prefix": key.prefix,
        "last4": key.last4,
        "capabilities": list(key.capabilities),
        "createdAt": iso_time(key.created_at),
    }


def workflow_row(workflow: Workflow) -> dict[str, Any]:
    """One workflow, without its graph."""
    return {
        "slug": workflow.slug,
        "name": workflow.document.name,
        "version": workflow.version,
        "accountId": workflow.account_id,
        "draft": workflow.document.draft,
        "problems": list(workflow.problems),
        "updatedAt": iso_time(workflow.updated_at),
    }
