"""Signed-in browsers and login links, stored as digests, never as tokens."""

import time
from typing import Any

from engine.access.tiers import Tiers
from engine.errors import AccountNotFound, Unauthorized
from engine.ids import tokens
from engine.ids.partitions import partition_of
from engine.process.lru_cache import LruCache
from engine.store.accounts.accounts import parse_account
from engine.store.accounts.principals import Principal, Session
from engine.store.accounts.rate_limits import WINDOW_MS, CallLimits, Window, parse_window
from engine.store.audit import COMMAND, AuditAction, AuditedAct, AuditLog
from engine.store.redis import channels, keyspace
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
USE_RECORDED_SECONDS = 60.0
"""Interval at which one process records the use of a session."""
MAX_AGENT = 256


class Sessions:
    """Makes and redeems login links; checks, renews and ends sessions."""

    def __init__(self, client: Client, tiers: Tiers, audit: AuditLog) -> None:
        self._client = client
        self._audit = audit
        self._tiers = tiers
        self._limits = CallLimits(tiers)
        self._remembered: set[str] = set()
        self._uses: LruCache[str, float] = LruCache(MAX_REMEMBERED)

    async def create_login(self, account_id: str, *, by: str = COMMAND) -> str:
        """Return a token that signs one browser in within ten minutes. Raises AccountNotFound."""
        partition = partition_of(account_id)
        token = tokens.make_token(LOGIN_PREFIX, partition)
        act = AuditedAct(by=by, action=AuditAction.ACCOUNT_LOGIN_LINK, subject=account_id)
        is_made = await self._client.call(
            SCRIPTS["create_login"],
            accounts=keyspace.accounts(partition),
            login=_login_key(token),
            audit=keyspace.audit(partition),
            account=account_id,
            login_ms=LOGIN_MS,
            act=self._audit.arguments(act),
        )
        if not is_made:
            raise AccountNotFound(account_id)
        return token

    async def has_login(self, token: str) -> bool:
        """Return whether the token could sign in now; it stays usable."""
        if not tokens.is_well_formed(token, LOGIN_PREFIX):
            return False
        return bool(await self._client.send("EXISTS", _login_key(token)))

    async def redeem(self, login: str, *, user_agent: str = "", address: str = "") -> str:
        """Exchange the login token for a session's token. Raises Unauthorized.

        `user_agent` and `address` are those of the browser, for its owner to tell sessions apart.
        """
        if not tokens.is_well_formed(login, LOGIN_PREFIX):
            raise Unauthorized
        owner = await self._client.send("GET", _login_key(login))
        if owner is None:
            raise Unauthorized
        partition = tokens.partition_of(tokens.digest(login))
        token = tokens.make_token(SESSION_PREFIX, partition)
        session = Session(digest=tokens.digest(token), account_id=owner.decode())
        account_id = await self._client.call(
            SCRIPTS["redeem_login"],
            login=_login_key(login),
            session=session_key(session.digest),
            accounts=keyspace.accounts(partition),
            session_record=record_key(session),
            account_sessions=keyspace.account_sessions(session.account_id),
            account=session.account_id,
            session_ms=SESSION_MS,
            session_id=session.id,
            digest=session.digest,
            user_agent=user_agent[:MAX_AGENT],
            address=address,
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
            session=session_key(digest),
            accounts=keyspace.accounts(tokens.partition_of(digest)),
            renewal_ms=RENEWED_BELOW_MS,
        )
        return self._admit(digest, reply)

    async def authorize_call(
        self, token: str, bucket: str, cost: int = 1
    ) -> tuple[Principal, Window | None]:
        """Like `authorize`, and count the call in the account's window of the bucket as `cost`.

        The window is None for an account without a limit. Raises Unauthorized.
        """
        digest = _checked_digest(token)
        partition = tokens.partition_of(digest)
        reply = await self._client.call(
            SCRIPTS["count_session_call"],
            session=session_key(digest),
            accounts=keyspace.accounts(partition),
            windows=keyspace.windows(partition),
            renewal_ms=RENEWED_BELOW_MS,
            bucket=bucket,
            window_ms=WINDOW_MS,
            cost=cost,
            limits=self._limits.by_tier(bucket),
        )
        principal = self._admit(digest, reply)
        _, _, *window = reply
        return principal, parse_window(window) if window else None

    def remembers(self, token: str) -> bool:
        """Return whether this process last saw the token as valid."""
        return tokens.digest(token) in self._remembered

    def _admit(self, digest: str, reply: Any) -> Principal:
        if not reply:
            self._remembered.discard(digest)
            raise Unauthorized
        self._remember(digest)
        record, is_due, *_ = reply
        account = parse_account(record)
        terms = self._tiers.terms(account.tier, account.role)
        session = Session(digest=digest, account_id=account.id, is_renewed=bool(is_due))
        self._record_use(session)
        return Principal(account=account, terms=terms, session=session)

    def _record_use(self, session: Session) -> None:
        now = time.monotonic()
        used_at = self._uses.get(session.digest)
        is_recorded = used_at is not None and now < used_at + USE_RECORDED_SECONDS
        if is_recorded and not session.is_renewed:
            return
        self._uses.put(session.digest, now)
        recorded = self._client.call(
            SCRIPTS["record_session_use"],
            session=session_key(session.digest),
            session_record=record_key(session),
            account_sessions=keyspace.account_sessions(session.account_id),
            account=session.account_id,
            session_id=session.id,
            digest=session.digest,
            session_ms=SESSION_MS,
            must_extend="1" if session.is_renewed else "",
        )
        forget(recorded)

    def _remember(self, digest: str) -> None:
        if len(self._remembered) >= MAX_REMEMBERED:
            self._remembered.clear()
        self._remembered.add(digest)

    async def end(self, session: Session, *, by: str | None = None) -> None:
        """Sign the browser out, from its very next request on.

        `by` acts for the owner, which the audit log records; None: the owner does.
        """
        act = None
        if by is not None:
            facts = {"accountId": session.account_id}
            action = AuditAction.SESSION_END
            act = AuditedAct(by=by, action=action, subject=session.id, before=facts)
        await self._client.call(
            SCRIPTS["end_session"],
            session=session_key(session.digest),
            session_record=record_key(session),
            account_sessions=keyspace.account_sessions(session.account_id),
            audit=keyspace.audit(partition_of(session.account_id)),
            session_id=session.id,
            account=session.account_id,
            access_changes=channels.access_changes(),
            act=self._audit.arguments(act),
        )


def _checked_digest(token: str) -> str:
    if not tokens.is_well_formed(token, SESSION_PREFIX):
        raise Unauthorized
    return tokens.digest(token)


def _login_key(token: str) -> str:
    digest = tokens.digest(token)
    return keyspace.login(tokens.partition_of(digest), digest)


def record_key(session: Session) -> str:
    """Return the key of a session's record."""
    return keyspace.session_record(partition_of(session.account_id), session.id)


def session_key(digest: str) -> str:
    """Return the key of the session with this digest."""
    return keyspace.session(tokens.partition_of(digest), digest)
