"""Codes of grants: a client turns one into an API key, once, within a minute."""

import contextlib

from engine.access.tiers import Tiers
from engine.errors import NotFound
from engine.ids import tokens
from engine.ids.partitions import partition_of
from engine.store.accounts.accounts import Accounts
from engine.store.accounts.api_keys import ApiKeys
from engine.store.accounts.key_drafts import draft_key
from engine.store.accounts.key_records import pack_key
from engine.store.accounts.oauth import keys
from engine.store.accounts.oauth.records import GrantCode
from engine.store.accounts.principals import ApiKey, KeyClient
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.info import read_now
from engine.store.redis.scripts import SCRIPTS

PREFIX = "hr_code_"
CODE_MS = 60_000
NOTICED_MS = 600_000
"""Time for which a second use of a code is noticed."""


class CodeRefused(Exception):
    """The code is unknown, too old, or was used before."""


class GrantCodes:
    """Issues codes, stored as digests, and turns them into API keys."""

    def __init__(self, client: Client, tiers: Tiers, accounts: Accounts, api_keys: ApiKeys) -> None:
        self._client = client
        self._tiers = tiers
        self._accounts = accounts
        self._api_keys = api_keys

    async def issue(self, grant: GrantCode) -> str:
        """Return the code of a grant."""
        token = tokens.make_token(PREFIX, partition_of(grant.account_id))
        ends = await read_now(self._client) + CODE_MS
        record = f"{ends}|".encode() + grant.pack()
        await self._client.send("SET", _key(token), record, "PX", NOTICED_MS)
        return token

    async def find(self, code: str) -> GrantCode | None:
        """Return the grant of a code, even of one that is over or was used; None if unknown."""
        record = None
        if tokens.is_well_formed(code, PREFIX):
            record = await self._client.send("GET", _key(code))
        if record is None:
            return None
        first, _, rest = record.partition(b"|")
        return GrantCode.parse(rest.partition(b"|")[2] if first.startswith(b"key_") else rest)

    async def redeem(self, code: str, grant: GrantCode) -> tuple[ApiKey, str]:
        """Make the API key of a code; return it with its secret, which is shown only once.

        The second use of a code deletes the key: one of the two users is not the client. Raises
        CodeRefused, AccountNotFound, ApiKeyAccessDenied or CapabilityAboveCeiling.
        """
        account = await self._accounts.get(grant.account_id)
        key, secret = await draft_key(
            self._client,
            self._tiers,
            account,
            name=grant.client_name,
            capabilities=grant.capabilities,
            client=KeyClient(id=grant.client_id, name=grant.client_name),
        )
        await self._api_keys.list_id(key)
        verdict = await self._client.call(
            SCRIPTS["redeem_grant_code"],
            code=_key(code),
            accounts=keyspace.accounts(partition_of(account.id)),
            account_api_keys=keyspace.account_api_keys(account.id),
            api_keys=keyspace.api_keys(partition_of(account.id)),
            account=account.id,
            api_key=key.id,
            digest=tokens.digest(secret),
            record=pack_key(key),
        )
        if verdict == b"ok":
            return key, secret
        await self._api_keys.unlist_id(key.id)
        if verdict.startswith(b"key_"):
            with contextlib.suppress(NotFound):
                await self._api_keys.revoke(verdict.decode(), owner=account.id)
        raise CodeRefused


def _key(code: str) -> str:
    digest = tokens.digest(code)
    return keys.code(tokens.partition_of(digest), digest)
