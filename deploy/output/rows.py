"""Rows that the commands show: the API's names, times in ISO 8601."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec import to_builtins

from engine.models.availability import WorkerVariables
from engine.models.manifest import Model
from engine.store import (
    Account,
    ApiKey,
    AuditEntry,
    LedgerEntry,
    Secret,
    SessionRecord,
    Webhook,
    WorkflowSummary,
)
from engine.values.plain import moment
from gateway.http.types import Payload
from gateway.routes.accounts.api_keys import ApiKeyView
from gateway.routes.accounts.secrets import SecretView
from gateway.routes.accounts.views import AccountView
from gateway.routes.models.views import ModelView
from gateway.routes.operations.audit import AuditEntryView
from gateway.routes.webhooks.webhooks import SavedWebhook


def account_row(account: Account, balance: int) -> dict[str, Any]:
    """Return one account and its balance."""
    return _shown(AccountView.from_record(account, balance=balance))


def key_row(key: ApiKey) -> dict[str, Any]:
    """Return one key, without its secret; `client` is the name of one that was granted it."""
    client = None if key.client is None else key.client.name
    return _shown(ApiKeyView.from_record(key)) | {"accountId": key.account_id, "client": client}


def session_row(session: SessionRecord) -> dict[str, Any]:
    """Return one session of a browser."""
    return {
        "id": session.id,
        "accountId": session.account_id,
        "createdAt": moment(session.created_at),
        "lastUsedAt": moment(session.last_used_at),
        "userAgent": session.user_agent,
        "address": session.address,
    }


def audit_row(entry: AuditEntry) -> dict[str, Any]:
    """Return one entry of the audit log."""
    return _shown(AuditEntryView.from_record(entry))


def webhook_row(key_id: str, webhook: Webhook) -> dict[str, Any]:
    """Return a key's webhook; the secret is present only when it was just created."""
    return {"keyId": key_id} | _shown(SavedWebhook.from_record(webhook))


def secret_row(secret: Secret) -> dict[str, Any]:
    """Return one secret, without its value."""
    return _shown(SecretView.from_record(secret))


def login_row(account_id: str, url: str, expires_at: int) -> dict[str, Any]:
    """Return a sign-in link."""
    return {"url": url, "accountId": account_id, "expiresAt": moment(expires_at)}


def listed_row(workflow: WorkflowSummary) -> dict[str, Any]:
    """Return one workflow of a list."""
    return {
        "slug": workflow.slug,
        "name": workflow.name,
        "version": workflow.version or None,
        "accountId": workflow.account_id,
        "draft": not workflow.version,
        "updatedAt": moment(workflow.updated_at),
    }


def ledger_row(
    account_id: str, entries: int, balance: int, faults: Sequence[str]
) -> dict[str, Any]:
    """Return the result of checking an account's ledger."""
    return {"accountId": account_id, "entries": entries, "balance": balance, "faults": faults}


def entry_row(entry: LedgerEntry, node_ids: Mapping[int, str]) -> dict[str, Any]:
    """Return one ledger entry; its node by id if known, else by index."""
    node = None if entry.node is None else node_ids.get(entry.node, entry.node)
    return {
        "at": moment(entry.at),
        "kind": entry.kind,
        "bucket": entry.bucket,
        "credits": entry.credits,
        "reserved": entry.reserved,
        "balance": entry.balance,
        "executionId": entry.execution_id,
        "node": node,
    }


def bucket_text(bucket: str) -> str:
    """Return the source of credits as a text: an allowance or a top-up, and its expiry."""
    end, _, top_up = bucket[1:].partition(".")
    until = f" until {_day(int(end))}" if int(end) else ""
    return (f"top-up {top_up[:8]}" if bucket[0] == "t" else "allowance") + until


def model_row(model: Model, workers: WorkerVariables) -> dict[str, Any]:
    """Return one model at its provider's prices."""
    return _shown(ModelView.for_caller(model, Decimal(1), workers))


def price_text(price: Mapping[str, Any]) -> str:
    """Return one price of a model as a text."""
    return f"{Decimal(price['usd']):f} USD per {price['unit'].replace('_', ' ')}"


def _shown(view: Payload) -> dict[str, Any]:
    """Return the members by their names in JSON; exact numbers stay exact."""
    members: dict[str, Any] = to_builtins(view, builtin_types=(Decimal,))
    return members


def _day(milliseconds: int) -> str:
    return str(moment(milliseconds))[:10]
