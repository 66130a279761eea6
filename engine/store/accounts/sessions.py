"""Signed-in browsers and login links, stored as digests, never as tokens."""

from typing import Any

from engine.access.tiers import Tiers
from engine.errors import AccountNotFound, Unauthorized
from engine.ids import tokens
from engine.ids.partitions import partition_of
from engine.store.accounts.accounts import parse_account
from engine.store.accounts.principals import Principal, Session
from engine.store.accounts.rate_limits import WINDOW_MS, CallLimits, Window, parse_window
from engine.store.redis import keyspace
from engine.store.redis.client import Client, forget
from engine.store.redis.scripts import SCRIPTS

SESSION_PREFIX = "hr_session_"
LOGIN_PREFIX = "hr_login_"
DAY_MS = 86_400_000
SESSION_MS = 30 * DAY_MS
"""Life of an unused session."""
RENEWED_BELOW_MS = SESSION_MS - DAY_MS
"""A used session is written once a day, not with every request."""
LOGIN_MS = 600_000
MAX_REMEMBERED = 10_000


class Sessions:
    """Makes and redeems login links; checks, renews and ends sessions."""

    def __init__(self, client: Client, tiers: Tiers) -> None:
        self._client = client
        self._tiers = tiers
        self._limits = CallLimits(tiers)
        self._remembered: set[str] = set()

    async def create_login(self, account_id: str) -> str:
        """Return a token that signs one browser in within ten minutes. Raises AccountNotFound."""
        partition = partition_of(account_id)
        if not await self._client.send("HEXISTS", keyspace.accounts(partition), account_id):
            raise AccountNotFound(account_id)
        token = tokens.make_token(LOGIN_PREFIX, partition)
        await self._client.send("SET", _login_key(token), account_id, "PX", LOGIN_MS)
        return token

    async def has_login(self, token: str) -> bool:
        """Return whether the token could sign in now; it stays usable."""
        if not tokens.is_well_formed(token, LOGIN_PREFIX):
            return False
        return bool(await self._client.send("EXISTS", _login_key(token)))

    async def redeem(self, login: str) -> str:
        """Exchange the login token for a session's token. Raises Unauthorized."""
        if not tokens.is_well_formed(login, LOGIN_PREFIX):
            raise Unauthorized
        partition = tokens.partition_of(tokens.digest(login))
        token = tokens.make_token(SESSION_PREFIX, partition)
        session = keyspace.session(partition, tokens.digest(token))
        account_id = await self._client.call(
            SCRIPTS["redeem_login"],
            [_login_key(login), session, keyspace.accounts(partition)],
            [SESSION_MS],
        )
        if not account_id:
            raise Unauthorized
        return token

    async def authorize(self, token: str) -> Principal:
        """Return the current principal of a session, read each time. Raises Unauthorized.

        A malformed token costs no round trip.
        """
        digest = _checked_digest(token)
        reply = await self._client.call(
            SCRIPTS["authorize_session"],
            [_session_key(digest), keyspace.accounts(tokens.partition_of(digest))],
            [RENEWED_BELOW_MS],
        )
        return self._admit(digest, reply)

    async def authorize_call(self, token: str, bucket: str) -> tuple[Principal, Window | None]:
        """Like `authorize`, and count the call in the account's window of the bucket.

        The window is None for an account without a limit. Raises Unauthorized.
        """
        digest = _checked_digest(token)
        partition = tokens.partition_of(digest)
        reply = await self._client.call(
            SCRIPTS["count_session_call"],
            [_session_key(digest), keyspace.accounts(partition), keyspace.windows(partition)],
            [0, RENEWED_BELOW_MS, bucket, WINDOW_MS, *self._limits.of(bucket)],
        )
        principal = self._admit(digest, reply)
        return principal, parse_window(reply[2:]) if len(reply) > 2 else None

    def remembers(self, token: str) -> bool:
        """Return whether this process last saw the token as valid."""
        return tokens.digest(token) in self._remembered

    def _admit(self, digest: str, reply: Any) -> Principal:
        if not reply:
            self._remembered.discard(digest)
            raise Unauthorized
        self._remember(digest)
        is_due = bool(reply[1])
        if is_due:
            forget(self._client.send("PEXPIRE", _session_key(digest), SESSION_MS))
        account = parse_account(reply[0])
        terms = self._tiers.terms(account.tier, account.role)
        session = Session(digest=digest, is_renewed=is_due)
        return Principal(account=account, terms=terms, session=session)

    def _remember(self, digest: str) -> None:
        if len(self._remembered) >= MAX_REMEMBERED:
            self._remembered.clear()
        self._remembered.add(digest)

    async def end(self, session: Session) -> None:
        """Sign the browser out, from its very next request on."""
        await self._client.send("DEL", _session_key(session.digest))


def _checked_digest(token: str) -> str:
    if not tokens.is_well_formed(token, SESSION_PREFIX):
        raise Unauthorized
    return tokens.digest(token)


def _login_key(token: str) -> str:
    digest = tokens.digest(token)
    return keyspace.login(tokens.partition_of(digest), digest)


def _session_key(digest: str) -> str:
    return keyspace.session(tokens.partition_of(digest), digest)
