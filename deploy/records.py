"""How the commands show accounts, keys and workflows: the wire's names, times in ISO 8601."""

from typing import Any

from engine.store import Account, ApiKey, Webhook, Workflow
from engine.values import moment
from gateway.wire import key_shape, user_shape, webhook_shape


def account_row(account: Account) -> dict[str, Any]:
    """One account."""
    return user_shape(account) | {"createdAt": moment(account.created_at)}


def key_row(key: ApiKey) -> dict[str, Any]:
    """One key, without its secret."""
    return key_shape(key) | {"accountId": key.account_id}


def webhook_row(key_id: str, webhook: Webhook) -> dict[str, Any]:
    """A key's webhook; its secret only when it was made just now."""
    return {"keyId": key_id} | webhook_shape(webhook)


def login_row(account_id: str, url: str, expires_at: int) -> dict[str, Any]:
    """A sign-in link."""
    return {"url": url, "accountId": account_id, "expiresAt": moment(expires_at)}


def workflow_row(workflow: Workflow) -> dict[str, Any]:
    """One workflow, without its graph."""
    return {
        "slug": workflow.slug,
        "name": workflow.document.name,
        "version": workflow.version,
        "accountId": workflow.account_id,
        "draft": workflow.document.draft,
        "problems": list(workflow.problems),
        "updatedAt": moment(workflow.updated_at),
    }
