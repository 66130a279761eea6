"""Secrets of accounts at rest: sealed, opened only for the nodes that use them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from engine.access.account_secrets import MAX_SECRETS
from engine.access.sealing import Sealer, Unsealable
from engine.errors import NotFound, QuotaExceeded
from engine.ids.partitions import partition_of
from engine.store.audit import AuditAction, AuditedAct, AuditLog
from engine.store.executions.record_fields import parse_hash
from engine.store.redis import keyspace
from engine.store.redis.client import Client, forget
from engine.store.redis.scripts import SCRIPTS
from engine.store.seals import SealingKeyCheck

CREATED = ".created"
UPDATED = ".updated"
HOSTS = ".hosts"
ANY = "-"
"""Stands for any host in the script that saves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A secret of an account, without its value. Times are milliseconds since the epoch."""

    name: str
    created_at: int
    updated_at: int
    """Time of the last change of its value or hosts."""
    hosts: tuple[str, ...] = ()
    """Hosts to which it is sent; none: any."""


class StoredSecret(NamedTuple):
    """Value of a secret, None where this installation's keys do not open it, and its hosts."""

    value: str | None
    hosts: tuple[str, ...]


class AccountSecrets:
    """Saves, lists, opens and deletes secrets, and knows the workflows that may use them."""

    def __init__(self, client: Client, sealer: Sealer, audit: AuditLog) -> None:
        self._client = client
        self._audit = audit
        self._sealer = sealer
        self._seals = SealingKeyCheck(client, sealer)

    async def save(
        self,
        account_id: str,
        name: str,
        value: str,
        *,
        hosts: Sequence[str] | None = None,
        by: str | None = None,
    ) -> Secret:
        """Set a secret. Raises QuotaExceeded.

        `hosts` are those to which it is sent, none: any; None: as before. `by` acts for the owner,
        which the audit log records; None: the owner does.
        """
        await self._seals.check()
        act = None
        if by is not None:
            facts = {"accountId": account_id}
            act = AuditedAct(by=by, action=AuditAction.VALUE_SET, subject=name, after=facts)
        sealed = self._sealer.seal(value, _place(account_id, name))
        reply = await self._client.call(
            SCRIPTS["save_secret"],
            secrets=keyspace.account_secrets(account_id),
            audit=keyspace.audit(partition_of(account_id)),
            name=name,
            sealed=sealed,
            most=MAX_SECRETS,
            hosts=None if hosts is None else " ".join(hosts) or ANY,
            act=self._audit.arguments(act),
        )
        if reply[0] == b"full":
            raise QuotaExceeded("secrets", used=int(reply[1]), limit=MAX_SECRETS)
        _, created, updated, saved_hosts = reply
        return Secret(
            name=name,
            created_at=int(created),
            updated_at=int(updated),
            hosts=_parse_hosts(saved_hosts),
        )

    async def list(self, account_id: str) -> Sequence[Secret]:
        """Return the secrets of an account by name."""
        key = keyspace.account_secrets(account_id)
        record = parse_hash(await self._client.send("HGETALL", key))
        names = sorted(name for name in record if "." not in name)
        self._seal_anew(account_id, {name: record[name] for name in names})
        return [
            Secret(
                name=name,
                created_at=int(record[name + CREATED]),
                updated_at=int(record[name + UPDATED]),
                hosts=_parse_hosts(record.get(name + HOSTS)),
            )
            for name in names
        ]

    async def names(self, account_id: str) -> frozenset[str]:
        """Return the names of an account's secrets."""
        fields = await self._client.send("HKEYS", keyspace.account_secrets(account_id))
        return frozenset(name.decode() for name in fields if b"." not in name)

    async def hosts(
        self, account_id: str, names: Collection[str]
    ) -> dict[str, tuple[str, ...] | None]:
        """Return the hosts of secrets by name: none for any host, None without the secret."""
        if not names:
            return {}
        listed = sorted(names)
        fields = [field for name in listed for field in (name + CREATED, name + HOSTS)]
        replies = await self._client.send("HMGET", keyspace.account_secrets(account_id), *fields)
        return {
            name: None if created is None else _parse_hosts(hosts)
            for name, created, hosts in zip(listed, replies[::2], replies[1::2], strict=True)
        }

    async def delete(self, account_id: str, name: str, *, by: str | None = None) -> None:
        """Delete a secret; nodes that use it fail from now on. Raises NotFound.

        `by` as in `save`.
        """
        act = None
        if by is not None:
            facts = {"accountId": account_id}
            act = AuditedAct(by=by, action=AuditAction.VALUE_DELETE, subject=name, before=facts)
        is_deleted = await self._client.call(
            SCRIPTS["delete_secret"],
            secrets=keyspace.account_secrets(account_id),
            audit=keyspace.audit(partition_of(account_id)),
            name=name,
            act=self._audit.arguments(act),
        )
        if not is_deleted:
            raise NotFound("There is no such secret")

    async def open(self, account_id: str, names: Collection[str]) -> dict[str, StoredSecret]:
        """Return values and hosts of the secrets that exist, by name."""
        listed = sorted(names)
        key = keyspace.account_secrets(account_id)
        fields = [*listed, *(name + HOSTS for name in listed)]
        stored = await self._client.send("HMGET", key, *fields)
        values, hosts = stored[: len(listed)], dict(zip(listed, stored[len(listed) :], strict=True))
        sealed = {
            name: value for name, value in zip(listed, values, strict=True) if value is not None
        }
        self._seal_anew(account_id, sealed)
        return {
            name: StoredSecret(self.unseal(account_id, name, value), _parse_hosts(hosts[name]))
            for name, value in sealed.items()
        }

    def unseal(self, account_id: str, name: str, sealed: bytes) -> str | None:
        """Return the value of a sealed secret; None for one that no key of this process opens."""
        try:
            return self._sealer.open(sealed, _place(account_id, name))
        except Unsealable:
            return None

    def _seal_anew(self, account_id: str, record: Mapping[str, bytes]) -> None:
        """Schedule sealing with the current key for values under an older one."""
        key = keyspace.account_secrets(account_id)
        for name, stored in record.items():
            value = self.unseal(account_id, name, stored)
            if value is None:
                continue
            sealed = self._sealer.seal(value, _place(account_id, name))
            if sealed != stored:
                replaced = self._client.call(
                    SCRIPTS["seal_secret"], record=key, field=name, stored=stored, sealed=sealed
                )
                forget(replaced)

    async def record_use(self, account_id: str, slug: str) -> None:
        """Record that a saved workflow uses a secret."""
        await self._client.send("SADD", keyspace.secret_users(account_id), slug)

    async def possible_users(self, account_id: str) -> Sequence[str]:
        """Return the slugs of all workflows that have used a secret since they were created."""
        slugs = await self._client.send("SMEMBERS", keyspace.secret_users(account_id))
        return sorted(slug.decode() for slug in slugs)


def _place(account_id: str, name: str) -> tuple[str, ...]:
    """Return the context to which a secret is sealed."""
    return ("secret", account_id, name)


def _parse_hosts(text: bytes | None) -> tuple[str, ...]:
    return tuple((text or b"").decode().split())
