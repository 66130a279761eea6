"""API keys at rest: digest, prefix, last four characters and capabilities, never the secret."""

import hashlib
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from engine.access.tiers import Tiers
from engine.errors import NotFound, Unauthorized
from engine.ids import api_keys, tokens
from engine.ids.partitions import partition_of
from engine.process.lru_cache import LruCache
from engine.store.accounts.accounts import Account, parse_account
from engine.store.accounts.key_drafts import EXPIRED, check_name, draft_key
from engine.store.accounts.key_records import pack_key, parse_key
from engine.store.accounts.principals import ApiKey, Principal
from engine.store.accounts.rate_limits import WINDOW_MS, CallLimits, Window, parse_window
from engine.store.accounts.speculation import AssumedCaller, SpeculativeAuthorization
from engine.store.audit import AuditAction, AuditedAct, AuditLog
from engine.store.redis import channels, keyspace
from engine.store.redis.client import Client, forget
from engine.store.redis.scripts import SCRIPTS
from engine.store.triggers import keys as trigger_keys

NO_KEY = "There is no such API key"
UNCHANGED = -1
"""Stands for the expiry that a key has."""
MAX_REMEMBERED = 10_000
MAX_REMEMBERED_BYTES = 33_554_432
"""Memory of cached keys and accounts; a key with many capabilities takes tens of kilobytes."""
PARSED_FACTOR = 4
"""Memory of a parsed principal as a multiple of its record."""
WEBHOOK_KEPT_MS = 30 * 86_400_000
"""Time for which the webhook of a revoked key is kept for its running executions."""
USE_RECORDED_SECONDS = 60.0
"""Interval at which one process records the use of a key."""


class ApiKeys:
    """Creates, checks, lists and revokes API keys."""

    def __init__(self, client: Client, tiers: Tiers, audit: AuditLog) -> None:
        self._client = client
        self._audit = audit
        self._tiers = tiers
        self._limits = CallLimits(tiers)
        self._uses: LruCache[str, float] = LruCache(MAX_REMEMBERED)
        self._parsed: LruCache[bytes, tuple[bytes, Principal]]
        self._parsed = LruCache(MAX_REMEMBERED, MAX_REMEMBERED_BYTES)
        self._assumed: LruCache[str, tuple[Principal, str]]
        self._assumed = LruCache(MAX_REMEMBERED, MAX_REMEMBERED_BYTES)
        """Last known principal by digest of the key, with the fingerprint of its records."""

    async def create(
        self,
        account: Account,
        *,
        name: str,
        capabilities: Iterable[str],
        expires_at: int | None = None,
        by: str | None = None,
    ) -> tuple[ApiKey, str]:
        """Create a key and return its secret, which is shown only once.

        `by` acts for the owner, which the audit log records; None: the owner does. Raises
        InvalidCapability, CapabilityAboveCeiling, ApiKeyAccessDenied, or ValueError for an empty or
        too long name, an empty set of capabilities, or an expiry that is over.
        """
        key, secret = await draft_key(
            self._client,
            self._tiers,
            account,
            name=name,
            capabilities=capabilities,
            expires_at=expires_at,
        )
        await self._write(key, tokens.digest(secret), by)
        return key, secret

    async def list_id(self, key: ApiKey) -> None:
        """Let the key be found by its id; done before it is saved."""
        await self._client.send("HSET", keyspace.api_key_ids(), key.id, key.account_id)

    async def unlist_id(self, key_id: str) -> None:
        """Let the key be found by its id no more."""
        await self._client.send("HDEL", keyspace.api_key_ids(), key_id)

    async def _write(self, key: ApiKey, digest: str, by: str | None) -> None:
        await self.list_id(key)
        act = None
        if by is not None:
            action = AuditAction.KEY_CREATE
            act = AuditedAct(by=by, action=action, subject=key.id, after=_facts(key))
        partition = partition_of(key.account_id)
        await self._client.call(
            SCRIPTS["create_key"],
            account_api_keys=keyspace.account_api_keys(key.account_id),
            api_keys=keyspace.api_keys(partition),
            audit=keyspace.audit(partition),
            api_key=key.id,
            digest=digest,
            record=pack_key(key),
            act=self._audit.arguments(act),
        )

    async def authorize(self, secret: str) -> Principal:
        """Return the current principal of a key, read each time. Raises Unauthorized.

        A malformed key costs no round trip.
        """
        if not api_keys.is_well_formed(secret):
            raise Unauthorized
        digest = tokens.digest(secret)
        partition = tokens.partition_of(digest)
        reply = await self._client.call(
            SCRIPTS["authorize_key"],
            api_keys=keyspace.api_keys(partition),
            accounts=keyspace.accounts(partition),
            digest=digest,
        )
        return self._admit(digest, reply)

    async def authorize_call(
        self, secret: str, bucket: str, cost: int = 1
    ) -> tuple[Principal, Window | None]:
        """Like `authorize`, and count the call in the account's window of the bucket as `cost`.

        The window is None for an account without a limit. Raises Unauthorized.
        """
        if not api_keys.is_well_formed(secret):
            raise Unauthorized
        return await self._authorize_call(tokens.digest(secret), bucket, cost)

    async def _authorize_call(
        self, digest: str, bucket: str, cost: int = 1
    ) -> tuple[Principal, Window | None]:
        partition = tokens.partition_of(digest)
        reply = await self._client.call(
            SCRIPTS["count_key_call"],
            api_keys=keyspace.api_keys(partition),
            accounts=keyspace.accounts(partition),
            windows=keyspace.windows(partition),
            digest=digest,
            bucket=bucket,
            window_ms=WINDOW_MS,
            cost=cost,
            limits=self._limits.by_tier(bucket),
        )
        principal = self._admit(digest, reply)
        _, _, *window = reply
        return principal, parse_window(window) if window else None

    def authorize_speculatively(
        self, secret: str, bucket: str
    ) -> "SpeculativeAuthorization | None":
        """Return the authorization of a known key's call with its run; None for an unknown key."""
        digest = tokens.digest(secret)
        assumed = self._assumed.get(digest)
        if assumed is None:
            return None
        principal, fingerprint = assumed
        account_id, partition = principal.account.id, tokens.partition_of(digest)
        most_calls = self._limits.limit(bucket, principal.account)
        caller = AssumedCaller(
            api_keys=keyspace.api_keys(partition),
            accounts=keyspace.accounts(partition),
            windows=None if most_calls is None else keyspace.windows(partition),
            digest=digest,
            records_fingerprint=fingerprint,
            account_id=account_id,
            key_expires_at=principal.key.expires_at if principal.key else None,
            most_calls=most_calls,
            bucket=bucket,
            window_ms=WINDOW_MS,
        )
        return SpeculativeAuthorization(
            principal,
            caller,
            lambda: self._authorize_call(digest, bucket),
            lambda: self._record_use(principal.key_id, account_id),
        )

    def remembers(self, secret: str) -> bool:
        """Return whether this process last saw the key as valid."""
        return tokens.digest(secret) in self._assumed

    async def find_principal(self, account_id: str, key_id: str) -> Principal | None:
        """Return the principal of a key by its id, without a use of it.

        None for a key that is gone or has expired.
        """
        digest = await self._client.send("HGET", keyspace.account_api_keys(account_id), key_id)
        if digest is None:
            return None
        partition = partition_of(account_id)
        reply = await self._client.call(
            SCRIPTS["authorize_key"],
            api_keys=keyspace.api_keys(partition),
            accounts=keyspace.accounts(partition),
            digest=digest,
        )
        return self._principal(*reply) if reply else None

    def _admit(self, digest: str, reply: Any) -> Principal:
        if not reply:
            self._assumed.drop(digest)
            raise Unauthorized
        key, account, *_ = reply
        principal = self._principal(key, account)
        known = self._assumed.get(digest)
        if known is None or known[0] is not principal:
            records = key + account
            fingerprint = hashlib.sha1(records, usedforsecurity=False).hexdigest()
            self._assumed.put(digest, (principal, fingerprint), PARSED_FACTOR * len(records))
        self._record_use(principal.key_id, principal.account.id)
        return principal

    def _record_use(self, key_id: str, account_id: str) -> None:
        now = time.monotonic()
        used_at = self._uses.get(key_id)
        if used_at is not None and now < used_at + USE_RECORDED_SECONDS:
            return
        self._uses.put(key_id, now)
        recorded = self._client.call(
            SCRIPTS["record_key_use"],
            account_api_keys=keyspace.account_api_keys(account_id),
            key_uses=keyspace.account_key_uses(account_id),
            api_key=key_id,
        )
        forget(recorded)

    def _principal(self, key_record: bytes, account_record: bytes) -> Principal:
        # The cache is keyed by the bytes just read, so it is never stale.
        cached = self._parsed.get(key_record)
        if cached is not None and cached[0] == account_record:
            return cached[1]
        account = parse_account(account_record)
        terms = self._tiers.terms(account.tier, account.role)
        principal = Principal(account=account, terms=terms, key=parse_key(key_record))
        size = PARSED_FACTOR * (len(key_record) + len(account_record))
        self._parsed.put(key_record, (account_record, principal), size)
        return principal

    async def list(self, account_id: str) -> list[ApiKey]:
        """Return the account's keys, oldest first."""
        digests = await self._client.send("HVALS", keyspace.account_api_keys(account_id))
        if not digests:
            return []
        partition = partition_of(account_id)
        records = await self._client.send("HMGET", keyspace.api_keys(partition), *digests)
        keys = [parse_key(record) for record in records if record is not None]
        return sorted(keys, key=lambda key: (key.created_at, key.id))

    async def last_uses(self, account_id: str) -> dict[str, int]:
        """Return the last uses of the account's keys by id, in milliseconds, to the minute."""
        uses = await self._client.send("HGETALL", keyspace.account_key_uses(account_id))
        return {key_id.decode(): int(at) for key_id, at in uses.items()}

    async def change(
        self,
        key_id: str,
        *,
        owner: str,
        name: str | None = None,
        expires_at: int | None = UNCHANGED,
    ) -> ApiKey:
        """Rename the key, or set its expiry; None: it does not expire. It counts at once.

        Raises NotFound, or ValueError for a name or an expiry that `create` refuses.
        """
        while True:
            account, digest, record = await self._find(key_id, owner)
            key = parse_key(record)
            changed = replace(
                key,
                name=key.name if name is None else name,
                expires_at=key.expires_at if expires_at == UNCHANGED else expires_at,
            )
            check_name(changed.name)
            verdict = await self._client.call(
                SCRIPTS["replace_key"],
                account_api_keys=keyspace.account_api_keys(account),
                api_keys=keyspace.api_keys(partition_of(account)),
                api_key=key_id,
                digest=digest,
                record=record,
                new_record=pack_key(changed, record),
                expires_at=None if changed.expires_at == key.expires_at else changed.expires_at,
                account=account,
                access_changes=channels.access_changes(),
            )
            if verdict == b"ok":
                return changed
            if verdict == b"late":
                raise ValueError(EXPIRED)
            if verdict == b"missing":
                raise NotFound(NO_KEY)

    async def revoke(
        self, key_id: str, *, owner: str | None = None, by: str | None = None
    ) -> ApiKey:
        """Delete the key, from its very next request on, and disable its triggers.

        `by` is as in `create`.

        With `owner`, another account's key is not found. Raises NotFound.
        """
        account, digest, record = await self._find(key_id, owner)
        key = parse_key(record)
        act = None
        if by is not None:
            action = AuditAction.KEY_REVOKE
            act = AuditedAct(by=by, action=action, subject=key_id, before=_facts(key))
        partition = partition_of(account)
        await self._client.call(
            SCRIPTS["revoke_key"],
            account_api_keys=keyspace.account_api_keys(account),
            api_keys=keyspace.api_keys(partition),
            key_uses=keyspace.account_key_uses(account),
            webhook=keyspace.webhook(account, key_id),
            audit=keyspace.audit(partition),
            triggers=trigger_keys.triggers(account),
            open_schedules=trigger_keys.open_schedules(account),
            api_key=key_id,
            digest=digest,
            webhook_ms=WEBHOOK_KEPT_MS,
            account=account,
            access_changes=channels.access_changes(),
            act=self._audit.arguments(act),
        )
        await self.unlist_id(key_id)
        return key

    async def get(self, key_id: str, *, owner: str | None = None) -> ApiKey:
        """Return one key. With `owner`, another account's is not found. Raises NotFound."""
        return parse_key((await self._find(key_id, owner))[2])

    async def _find(self, key_id: str, owner: str | None) -> tuple[str, bytes, bytes]:
        """Return the key's account, the digest of its secret, and its record."""
        account = await self._owner(key_id) if owner is None else owner
        digest = await self._client.send("HGET", keyspace.account_api_keys(account), key_id)
        record = digest and await self._client.send(
            "HGET", keyspace.api_keys(partition_of(account)), digest
        )
        if not record:
            raise NotFound(NO_KEY)
        return account, digest, record

    async def _owner(self, key_id: str) -> str:
        account_id = await self._client.send("HGET", keyspace.api_key_ids(), key_id)
        if account_id is None:
            raise NotFound(NO_KEY)
        return str(account_id.decode())


def _facts(key: ApiKey) -> dict[str, Any]:
    return {
        "accountId": key.account_id,
        "name": key.name,
        "last4": key.last4,
        "capabilities": key.capabilities,
    }
