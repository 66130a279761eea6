"""Oracle over callers, remotes, Redis, history and ledger: it names every difference."""

import asyncio
import contextlib
import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import redis
from sqlalchemy import select

from engine.history.database.connections import Database
from engine.history.schema import executions
from engine.store import Account, Store
from tests.support.acceptance.versions.load import FAILURES, TERMINAL, Run
from tests.support.acceptance.versions.oracle import (
    CALLED,
    DOUBT_SECONDS,
    check_leftovers,
    spent_and_reserved,
)
from tests.support.eventually import eventually
from tests.support.http.scripted_server import Target
from tests.support.http.webhook_receivers import Receiver
from tests.support.soak.differences import (
    DOUBLED,
    LOST,
    OTHER,
    REST_SECONDS,
    Differences,
)
from tests.support.soak.users import Gone, Place, User

AT_ONCE = 16
FOR_A_DAY = ("idempotency", "event")
"""Kinds of keys that stay for a day after a run or an event with a key of its caller."""
KEYS_LEFT = 0.1
"""Other keys for each run that may stay: counts of the day, rate windows, workflows."""
ASKING = ("ask",)
"""Kinds of runs that wait for an answer, which a failover may have forgotten."""
SET_BACK = '"event":"an execution was held and not walked"'
CALLS = CALLED | {"sub": ("echo", 1), "sleep": ("later", 1)}


@dataclass
class Oracle:
    """Judge of one session; each of its checks notes differences."""

    differences: Differences
    place: Place
    users: Sequence[User]
    faults: Sequence[tuple[float, float]]
    """Times at which faults began and were over."""
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Executions on record, as a gateway shows them."""
    ends: Counter[str] = field(default_factory=Counter)
    keys: Counter[str] = field(default_factory=Counter)
    """Keys of Redis by kind, when it has forgotten the runs."""
    quiet_seconds: float = 120.0
    """Time in which what is under way must have been told and archived."""

    @property
    def runs(self) -> list[Run]:
        """Return the runs whose execution is known."""
        return [run for user in self.users for run in user.runs if run.execution_id]

    def is_set_back(self, run: Run, rest: float = 0.0) -> bool:
        """Return whether a failover fell into the life of a run, or into a time after it."""
        return self.differences.touches(run.began, run.ended or math.inf, rest)

    def _note(self, kind: str, place: str, run: Run, text: str, rest: float = 0.0) -> None:
        is_explained = self.is_set_back(run, rest)
        self.differences.note(kind, place, self._told(run, text), is_by_failover=is_explained)

    def _note_whatever_came(self, kind: str, place: str, run: Run, text: str) -> None:
        """Note a difference that no failover explains: a run on record ends, rightly and paid."""
        self.differences.note(kind, place, self._told(run, text))

    def _told(self, run: Run, text: str) -> str:
        times = f"{self.differences.after(run.began)} to {self.differences.after(run.ended)}"
        return f"{run.kind} {run.name} {run.execution_id}, {times}: {text}"

    # -- records ----------------------------------------------------------------------------------

    async def check_records(self, urls: Sequence[str]) -> None:
        """Compare each run with its record at each gateway, and the records with the lists."""
        turns = asyncio.Semaphore(AT_ONCE)

        async def check(run: Run) -> None:
            async with turns:
                try:
                    await self._check_run(run, urls)
                except AssertionError as error:
                    self._note(OTHER, "Redis", run, f"it cannot be read: {error!r}")

        await asyncio.gather(*(check(run) for run in self.runs))
        for url in urls:
            listed = Counter(await self.users[0].list_ids(url))
            await self._check_list(listed)

    async def _check_run(self, run: Run, urls: Sequence[str]) -> None:
        try:
            shown = [await self.users[0].read(run.execution_id, url) for url in urls]
        except Gone:
            is_explained = self.differences.lost_moment(run.accepted)
            at = self.differences.after(run.accepted)
            text = f"{run.kind} {run.name} {run.execution_id}, accepted at {at}, is not on record"
            self.differences.note(LOST, "Redis", text, is_by_failover=is_explained)
            return
        found = self.records[run.execution_id] = shown[0]
        common = set(found).intersection(*shown)  # a newer release shows more
        if any(
            {name: each[name] for name in common} != {n: found[n] for n in common} for each in shown
        ):
            self._note(OTHER, "Redis", run, f"gateways differ: {shown}")
        self._compare(run, found)
        self.ends[f"{run.kind} {found['status']}"] += 1

    def _compare(self, run: Run, found: dict[str, Any]) -> None:
        status = found["status"]
        if status not in TERMINAL:
            note = self._note if run.kind in ASKING else self._note_whatever_came
            note(LOST, "Redis", run, f"it has not ended: {found}")
            return
        if status not in run.statuses:
            self._note(OTHER, "Redis", run, f"its status is {status}: {found['error']}")
        if status == "completed" and found["result"] != run.result:
            text = f"its result is {found['result']}, not {run.result}"
            self._note_whatever_came(OTHER, "Redis", run, text)
        if status == "failed" and "failed" in run.statuses:
            codes = [node["error"]["code"] for node in found["nodes"] if node["error"]]
            if codes != [FAILURES[run.kind]]:
                self._note(OTHER, "Redis", run, f"it failed with {codes}")
        cost = found["creditsCost"]
        if status == "completed" and cost != run.cost:
            kind = DOUBLED if cost > run.cost else OTHER
            self._note_whatever_came(kind, "ledger", run, f"it cost {cost}, not {run.cost}")

    async def _check_list(self, listed: Counter[str]) -> None:
        """Compare the list of executions with those that callers and triggers know."""
        for name, count in listed.items():
            if count > 1:
                self.differences.note(DOUBLED, "Redis", f"{name} is listed {count} times")
        for name in self.records.keys() - listed.keys():
            self.differences.note(OTHER, "Redis", f"{name} is on record and not listed")
        wanted = {run.name: run for user in self.users for run in user.runs}
        for name in listed.keys() - self.records.keys():
            found = await self.users[0].read(name)
            self.records[name] = found
            inputs = found.get("inputs") or {}
            if inputs.get("who") == "schedule":
                continue
            run = wanted.get(str(inputs.get("who") or inputs.get("id")))
            is_explained = run is not None and self.is_set_back(run)
            text = f"nobody knows {name} of {inputs}, {found['createdAt']}; wanted: {run}"
            self.differences.note(DOUBLED, "Redis", text, is_by_failover=is_explained)

    # -- remotes ----------------------------------------------------------------------------------

    async def check_calls(self, target: Target) -> None:
        """Compare the calls of each run with those that its remote has seen."""
        for run in self.runs:
            found = self.records.get(run.execution_id)
            if run.kind not in CALLS or found is None or found["status"] != "completed":
                continue
            path, calls = CALLS[run.kind]
            made = target.calls[f"/{path}/{run.name}?n=7"]
            ended = run.ended or math.inf
            harms = sum(a - 1 <= ended and run.began <= b + REST_SECONDS for a, b in self.faults)
            if made < calls:
                self._note(LOST, "remote", run, f"{made} calls instead of {calls}")
            if made > calls * (1 + harms):
                self._note(
                    DOUBLED, "remote", run, f"{made} calls instead of {calls}, {harms} faults"
                )

    async def check_webhooks(self, receiver: Receiver, deaths: dict[str, float]) -> None:
        """Check that each end was told once, of all runs in the background and of batches."""
        expected = {
            run.execution_id: run
            for run in self.runs
            if not run.waits and run.execution_id in self.records
        }

        async def told() -> dict[str, set[str]]:
            ids: defaultdict[str, set[str]] = defaultdict(set)
            for each in receiver.received:
                name = each.event.get("executionId") or each.event.get("batchId")
                ids[name].add(each.id)
            return ids

        try:
            found = await eventually(
                told,
                lambda ids: expected.keys() <= ids.keys(),
                timeout=self.quiet_seconds,
                pause=0.5,
            )
        except AssertionError:
            found = await told()
        known = {run.execution_id: run for run in self.runs}
        for name in expected.keys() - found.keys():
            self._note(LOST, "webhook", known[name], "its end was never told")
        for name, ids in found.items():
            if len(ids) > 1:
                self._note_twice(name, known.get(name), ids)
            run = known.get(name)
            if run is not None and run.waits and not self._may_be_told(run, deaths):
                self._note(DOUBLED, "webhook", run, "its caller got the answer and a webhook")
        for batch_id in self.place.batches.keys() - found.keys():
            run = self.place.batches[batch_id][0]
            self._note(LOST, "webhook", run, f"the end of its batch {batch_id} was never told")

    def _note_twice(self, name: str, run: Run | None, ids: Iterable[str]) -> None:
        run = run or next(iter(self.place.batches.get(name, [])), None)
        text = f"the end of {name} was told by deliveries {sorted(ids)}"
        if run is None:
            self.differences.note(DOUBLED, "webhook", text)
        else:
            self._note(DOUBLED, "webhook", run, text, REST_SECONDS)

    def _may_be_told(self, run: Run, deaths: dict[str, float]) -> bool:
        died = deaths.get(run.answered_by, math.inf)
        return run.was_unanswered or died < run.ended + DOUBT_SECONDS

    # -- money, history, the rest -----------------------------------------------------------------

    async def check_money(self, store: Store, account: Account, given: int) -> None:
        """Check that wallet, ledger and records agree, and that nothing is reserved."""
        for text in (
            *await store.wallets.check(account.id),
            *await store.ledgers.check(account.id),
        ):
            self.differences.note(OTHER, "ledger", text)
        spent, reserved = await spent_and_reserved(store, account, given)
        cost = sum(each["creditsCost"] for each in self.records.values())
        if (spent, reserved) != (cost, 0):
            text = f"{spent} credits are spent and {reserved} reserved, the records cost {cost}"
            self.differences.note(DOUBLED if spent > cost else OTHER, "ledger", text)

    async def check_history(self, url: str, account: Account) -> None:
        """Check that each execution on record is in the history, and no other."""
        with_database = Database(url)
        query = select(executions.c.id).where(executions.c.account_id == account.id)

        async def archived() -> set[str]:
            with with_database.read() as connection:
                return set(connection.execute(query).scalars())

        try:
            found = await eventually(
                archived,
                lambda ids: ids >= self.records.keys(),
                timeout=self.quiet_seconds,
                pause=1.0,
            )
        except AssertionError:
            found = await archived()
        finally:
            with_database.close()
        runs = {run.execution_id: run for run in self.runs}
        for name in self.records.keys() - found:
            self.differences.note(LOST, "history", f"{name} is not in the history")
        for name in found - self.records.keys():
            run = runs.get(name)
            is_explained = run is not None and self.is_set_back(run, REST_SECONDS)
            text = f"{name} is in the history alone: {run}"
            self.differences.note(OTHER, "history", text, is_by_failover=is_explained)

    async def check_occurrences(self) -> None:
        """Check that each due time has one occurrence, and that each that started has one run."""
        trigger_id = self.place.trigger_ids["schedule"]
        rows = await self._pages(f"/api/triggers/{trigger_id}/occurrences")
        times = Counter(row["at"] for row in rows)
        for at, count in times.items():
            if count > 1:
                self.differences.note(DOUBLED, "Redis", f"{count} occurrences are of {at}")
        started = Counter(row["executionId"] for row in rows if row["status"] == "started")
        made = Counter(
            row["executionId"]
            for row in await self._pages(f"/api/executions?triggerId={trigger_id}")
        )
        for name in started - made:
            self.differences.note(LOST, "Redis", f"the run {name} of an occurrence is gone")
        for name in made - started:
            self.differences.note(DOUBLED, "Redis", f"the run {name} has no occurrence")
        self.ends["occurrences"] = len(rows)

    async def _pages(self, path: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        cursor, mark = "", "&" if "?" in path else "?"
        while True:
            status, page = await self.users[0].ask("GET", f"{path}{mark}limit=100{cursor}")
            assert status == 200, page
            rows += page["rows"]
            if not page.get("nextCursor"):
                return rows
            cursor = f"&cursor={page['nextCursor']}"

    async def check_leftovers(self, redis_url: str) -> None:
        """Check that nothing is due, held, active or in a queue."""
        try:
            await check_leftovers(redis_url)
        except AssertionError as error:
            self.differences.note(OTHER, "leftover", str(error))

    async def check_forgotten(self, redis_url: str, *, is_long: bool) -> None:
        """Check that Redis forgets what is in the history, and with it all that belongs to it.

        Of a session that was not long, Redis need not have forgotten any.
        """
        if not is_long:
            return
        with redis.Redis.from_url(redis_url) as client:

            async def count() -> Counter[str]:
                found: Counter[str] = Counter()
                for key in client.scan_iter(count=1_000):
                    found[key.decode(errors="replace").split("}:")[-1].split(":")[0]] += 1
                return found

            with contextlib.suppress(AssertionError):
                await eventually(
                    count, lambda keys: not keys["execution"], timeout=self.quiet_seconds, pause=2.0
                )
            self.keys = await count()
        left = {kind: n for kind, n in self.keys.items() if kind not in FOR_A_DAY}
        if self.keys["execution"] or sum(left.values()) > KEYS_LEFT * len(self.records):
            self.differences.note(OTHER, "leftover", f"Redis does not forget {left}")

    def check_logs(self, lines: Sequence[tuple[str, str]]) -> None:
        """Note the lines of logs that tell of a fault in the code.

        A worker tells as an error that Redis was set back under it, which a failover may do.
        """
        for name, line in lines:
            is_explained = SET_BACK in line and self._is_after_failover(line)
            text = f"{name}: {line[:600]}"
            self.differences.note(OTHER, "log", text, is_by_failover=is_explained)

    def _is_after_failover(self, line: str) -> bool:
        at = datetime.fromisoformat(json.loads(line)["at"]).timestamp()
        moment = self.differences.of_wall(at)
        return self.differences.touches(moment - REST_SECONDS, moment)
