"""Inbound webhooks by their token, with all that decides on an event before its run."""

from typing import Any

from msgspec import Struct

from engine.access.tiers import Tiers, TierTerms
from engine.ids import tokens
from engine.ids.partitions import partition_of
from engine.ids.triggers import is_hook_token
from engine.store.accounts.accounts import Account, parse_account
from engine.store.accounts.rate_limits import WINDOW_MS, WORKFLOW_RUNS, Window, parse_window
from engine.store.accounts.secrets import AccountSecrets
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS
from engine.store.triggers import keys
from engine.store.triggers.triggers import Triggers
from engine.triggers.trigger import Trigger


class FoundHook(Struct, frozen=True, kw_only=True):
    """Enabled inbound webhook, with its account as it is now."""

    trigger: Trigger
    account: Account
    terms: TierTerms
    secret: str | None
    """Value of the secret that verifies events; None: it is gone, or the settings name none."""
    now: int
    """Time of Redis in milliseconds."""
    window: Window | None
    """Window of the account's runs, if one more call were counted; None: unlimited."""


class Hooks:
    """Finds inbound webhooks by their token."""

    def __init__(
        self, client: Client, tiers: Tiers, triggers: Triggers, secrets: AccountSecrets
    ) -> None:
        self._client = client
        self._tiers = tiers
        self._triggers = triggers
        self._secrets = secrets

    async def find(self, token: str) -> FoundHook | None:
        """Return the inbound webhook of a token; None for an unknown or a disabled one.

        An unknown token, and a text that is none, cost the same two round trips as a known one.
        Raises Unavailable or RecordTooNew.
        """
        digest = tokens.digest(token)
        partition = tokens.partition_of(digest)
        named = await self._client.send("HGET", keys.hooks(partition), digest)
        is_known = named is not None and is_hook_token(token)
        reference = named.decode() if is_known else f"acc_{digest[:32]}/trg_{digest[:12]}"
        account_id, trigger_id = keyspace.parse_reference(reference)
        reply = await self._client.call(
            SCRIPTS["find_hook"],
            triggers=keys.triggers(account_id),
            accounts=keyspace.accounts(partition_of(account_id)),
            secrets=keyspace.account_secrets(account_id),
            windows=keyspace.windows(partition_of(account_id)),
            account_id=account_id,
            id=trigger_id,
            hook=digest,
            bucket=WORKFLOW_RUNS,
            window_ms=WINDOW_MS,
        )
        return self._parse(account_id, trigger_id, *reply) if is_known and reply else None

    def _parse(
        self,
        account_id: str,
        trigger_id: str,
        now: int,
        calls: int,
        ends: int,
        record: bytes,
        sealed: bytes,
        values: list[Any],
    ) -> FoundHook:
        trigger = self._triggers.parse(account_id, trigger_id, values)
        account = parse_account(record)
        terms = self._tiers.terms(account.tier, account.role)
        name, limit = trigger.settings.secret_name, terms.runs_per_minute
        return FoundHook(
            trigger=trigger,
            account=account,
            terms=terms,
            secret=self._secrets.unseal(account_id, name, sealed) if sealed else None,
            now=now,
            window=None if limit is None else parse_window([limit, calls + 1, ends, now]),
        )
