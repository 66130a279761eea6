"""Lists of accounts that are fed, such as batches: search for those that need a look."""

import asyncio
from collections.abc import Callable, Sequence

from msgspec import Struct

from engine.ids import partitions
from engine.ids.partitions import partition_of
from engine.store.partitioned.first_members import FirstMembers
from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS

LOOK_MS = 2_000
"""Time until the next look at a list that nothing else brings forward."""
LEASE_MS = 3_000
"""Time for which one worker alone begins items of a list; others may when it is silent."""
PAUSE_MS = 1_000
"""Time until the next look at a list after a fault, such as a full store."""
ACCOUNT_LOOK_MS = 200
"""Least time between two looks at an account."""
MOST_LISTS = 8
"""Most lists of one account that a look takes in."""
MOST_ACCOUNTS = 200
"""Most accounts that a search takes."""
LEAST_OF_PARTITION = 2
LOOKED_AT = 50
"""Accounts of a partition among which the first list is searched."""
ROTATION_SECONDS = 1.0


class DueAccounts(Struct, frozen=True, kw_only=True):
    """Accounts whose lists need a look, and whether there are more of them."""

    names: Sequence[str]
    has_more: bool


class DueLists:
    """Finds accounts that need a look, and their lists: no account waits for the many of another.

    `lists_of` returns the key of an account's open lists, and `accounts_of` that of a partition's
    accounts, both by the time in milliseconds of the next look. A look takes in at most
    `most_lists` lists of one account.
    """

    def __init__(
        self,
        client: Client,
        lists_of: Callable[[str], str],
        accounts_of: Callable[[int], str],
        most_lists: int = MOST_LISTS,
    ) -> None:
        self._client = client
        self._lists_of = lists_of
        self._accounts_of = accounts_of
        self._most_lists = most_lists
        self._first = FirstMembers(client, accounts_of)

    @property
    def has_open(self) -> bool:
        """Whether any account had an open list at the last search."""
        return self._first.has_any

    @property
    def next_look(self) -> int | None:
        """Time in milliseconds of the next look at an account, as known from the last search."""
        return self._first.first_time

    async def due_accounts(self, now: int) -> DueAccounts:
        """Return a bounded number of accounts that need a look, and postpone each."""
        due = await self._first.due(now, ROTATION_SECONDS)
        replies = await asyncio.gather(
            *(
                self._client.call(
                    SCRIPTS["promote_due"],
                    due=self._accounts_of(partition),
                    now=now,
                    most=max(LEAST_OF_PARTITION, MOST_ACCOUNTS // len(due)),
                    repeat_ms=LOOK_MS,
                )
                for partition in due
            )
        )
        for partition, (first, _) in zip(due, replies, strict=True):
            self._first.note(partition, first)
        return DueAccounts(
            names=[name.decode() for _, names in replies for name in names],
            has_more=any(first is not None and float(first) <= now for first, _ in replies),
        )

    async def due_lists(self, account_id: str, now: int) -> Sequence[str]:
        """Return a bounded number of the account's lists that need a look."""
        key = self._lists_of(account_id)
        names = await self._client.send(
            "ZRANGE", key, "-inf", now, "BYSCORE", "LIMIT", 0, self._most_lists
        )
        return [each.decode() for each in names]

    async def first_due(self, now: int) -> int | None:
        """Return the time of the first list that needs a look by `now`, None without one.

        A bounded number of accounts of each partition is looked at, the first ones.
        """
        accounts = await asyncio.gather(
            *(
                self._client.send(
                    *("ZRANGE", self._accounts_of(partition), "-inf", now + LOOK_MS, "BYSCORE"),
                    *("LIMIT", 0, LOOKED_AT),
                )
                for partition in partitions.every()
            )
        )
        firsts = await asyncio.gather(
            *(
                self._client.send("ZRANGE", self._lists_of(name.decode()), 0, 0, "WITHSCORES")
                for names in accounts
                for name in names
            )
        )
        times = [int(float(members[0][1])) for members in firsts if members]
        return min((at for at in times if at <= now), default=None)

    async def next_open(self, account_id: str, besides: str) -> str | None:
        """Return the account's list whose look is the next one, other than `besides`."""
        names = await self._client.send("ZRANGE", self._lists_of(account_id), 0, 1)
        others = [each.decode() for each in names if each.decode() != besides]
        return others[0] if others else None

    async def schedule_account(self, account_id: str, now: int) -> None:
        """Schedule the next look at an account by its lists."""
        await self._client.call(
            SCRIPTS["schedule_account"],
            lists=self._lists_of(account_id),
            accounts_due=self._accounts_of(partition_of(account_id)),
            account_id=account_id,
            earliest=now + ACCOUNT_LOOK_MS,
        )

    async def release(self, key: str, account_id: str, name: str, token: str) -> None:
        """Give a list back whose items could not be begun, to be looked at in a while.

        `key` is that of the list, `token` the one of the feed that took its items.
        """
        await self._client.call(
            SCRIPTS["release_feed"],
            list=key,
            open_lists=self._lists_of(account_id),
            accounts_due=self._accounts_of(partition_of(account_id)),
            account_id=account_id,
            member=name,
            token=token,
            pause_ms=PAUSE_MS,
        )
