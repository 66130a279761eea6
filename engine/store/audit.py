"""The audit log: an entry for each administrative act, written by the script that does it.

Each partition has a stream for its accounts, and saved models have one more; a page merges them.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

import msgspec

from engine.errors import InvalidCursor
from engine.ids import partitions
from engine.ids.partitions import partition_of
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS

COMMAND = "command"
"""Stands for an operator at the command line; others act by the id of their account."""
ENTRY_ID = re.compile(r"([0-9]{1,15})-([0-9]{1,15})-([0-9]{2,4})")

EMAIL = "email"
"""Member of facts with the address of an account."""
PAGE = 1_000

Facts = Mapping[str, Any]


class AuditAction(StrEnum):
    """Kind of administrative act."""

    ACCOUNT_CREATE = "account.create"
    ACCOUNT_CHANGE = "account.change"
    ACCOUNT_CREDIT = "account.credit"
    ACCOUNT_ERASE = "account.erase"
    ACCOUNT_LOGIN_LINK = "account.login-link"
    KEY_CREATE = "key.create"
    KEY_REVOKE = "key.revoke"
    KEY_WEBHOOK = "key.webhook"
    VALUE_SET = "secret.set"
    VALUE_DELETE = "secret.delete"
    SESSION_END = "session.end"
    TRIGGER_CREATE = "trigger.create"
    TRIGGER_CHANGE = "trigger.change"
    TRIGGER_DELETE = "trigger.delete"
    TRIGGER_ROTATE = "trigger.rotate"
    APPROVAL_APPROVE = "approval.approve"
    APPROVAL_REFUSE = "approval.refuse"
    MODEL_CREATE = "model.create"
    MODEL_UPDATE = "model.update"
    MODEL_DELETE = "model.delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedAct:
    """Administrative act on a subject. Facts hold no secret."""

    by: str
    action: AuditAction
    subject: str
    before: Facts | None = None
    after: Facts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Entry of the audit log. `at` is in milliseconds."""

    id: str
    at: int
    by: str
    action: str
    subject: str
    before: Facts | None
    after: Facts | None


@dataclass(frozen=True, slots=True, order=True)
class _Position:
    """Place of an entry: time and number in its stream, and number of the stream."""

    at: int
    number: int
    stream: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the place of an entry's id, which is the cursor after it. Raises InvalidCursor."""
        match = ENTRY_ID.fullmatch(text)
        if match is None:
            raise InvalidCursor
        position = cls(*map(int, match.groups()))
        if (position.at, position.number) == (0, 0):  # no stream has an entry there
            raise InvalidCursor
        return position

    def __str__(self) -> str:
        return f"{self.at}-{self.number}-{self.stream:02d}"

    def end_in(self, stream: int) -> str:
        """Return the end of the range of a stream before this place, newest entries first."""
        exclusive = "" if stream < self.stream else "("
        return f"{exclusive}{self.at}-{self.number}"


class AuditLog:
    """Makes the arguments of acts for scripts, and reads the log."""

    def __init__(self, client: Client, days: float) -> None:
        self._client = client
        self._keep_ms = int(days * 86_400_000)

    def arguments(self, act: AuditedAct | None) -> Sequence[str | bytes | int]:
        """Return the arguments of an act for `add_audit`; None: the script adds no entry."""
        if act is None:
            return ("", "", "", "", "", "")
        before, after = msgspec.json.encode(act.before), msgspec.json.encode(act.after)
        return (self._keep_ms, act.by, act.action.value, act.subject, before, after)

    async def redact(self, account_id: str, email: str) -> None:
        """Remove the e-mail address of an account from the facts of its acts."""
        key, start = keyspace.audit(partition_of(account_id)), "-"
        changes: list[bytes] = []
        while page := await self._client.send("XRANGE", key, start, "+", "COUNT", PAGE):
            for entry_id, parts in page:
                of = {parts[i].decode(): parts[i + 1] for i in range(0, len(parts), 2)}
                facts = [of["before"], of["after"]]
                redacted = [without_email(each, email) for each in facts]
                changes += (entry_id, *redacted) if redacted != facts else ()
            start = "(" + page[-1][0].decode()
        if changes:
            await self._client.call(SCRIPTS["redact_audit"], audit=key, redactions=changes)

    async def page(
        self, *, limit: int, after: str | None = None
    ) -> tuple[list[AuditEntry], str | None]:
        """Return entries, newest first, and the cursor of the next page.

        Raises InvalidCursor when `after` is no id of an entry.
        """
        position = None if after is None else _Position.parse(after)
        streams = [*(keyspace.audit(each) for each in partitions.every()), keyspace.models_audit()]
        pages = await asyncio.gather(
            *(
                self._client.send(
                    *("XREVRANGE", key, position.end_in(stream) if position else "+", "-"),
                    *("COUNT", limit + 1),
                )
                for stream, key in enumerate(streams)
            )
        )
        entries = [
            (_position(entry_id, stream), parts)
            for stream, page in enumerate(pages)
            for entry_id, parts in page or ()
        ]
        entries.sort(key=lambda each: each[0], reverse=True)
        rows = [_entry(*each) for each in entries[:limit]]
        return rows, rows[-1].id if len(entries) > limit else None


def without_email(facts: bytes, email: str) -> bytes:
    """Return the JSON of facts without an address; a text that is one becomes null."""
    if email.lower() not in facts.decode(errors="replace").lower():
        return facts
    return msgspec.json.encode(_redacted(msgspec.json.decode(facts), email.lower()))


def without_member(facts: bytes) -> bytes:
    """Return the JSON of facts with null for the address of an account, whatever it is."""
    members = msgspec.json.decode(facts)
    if not isinstance(members, dict) or members.get(EMAIL) is None:
        return facts
    return msgspec.json.encode({**members, EMAIL: None})


def _redacted(value: Any, email: str) -> Any:
    if isinstance(value, dict):
        return {name: _redacted(item, email) for name, item in value.items()}
    if isinstance(value, list):
        return [_redacted(item, email) for item in value]
    return None if isinstance(value, str) and email in value.lower() else value


def _position(entry_id: bytes, stream: int) -> _Position:
    at, _, number = entry_id.partition(b"-")
    return _Position(int(at), int(number), stream)


def _entry(position: _Position, parts: Sequence[bytes]) -> AuditEntry:
    of = {parts[i].decode(): parts[i + 1] for i in range(0, len(parts), 2)}
    return AuditEntry(
        id=str(position),
        at=position.at,
        by=of["by"].decode(),
        action=of["action"].decode(),
        subject=of["subject"].decode(),
        before=msgspec.json.decode(of["before"]),
        after=msgspec.json.decode(of["after"]),
    )
