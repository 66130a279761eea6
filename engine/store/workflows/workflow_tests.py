"""Tests of workflows at rest, beside the workflow's record."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from engine.errors import WorkflowNotFound, WorkflowTestNotFound
from engine.ids.partitions import partition_of
from engine.ids.workflow_test_names import is_test_name
from engine.store.executions.record_fields import parse_hash
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS
from engine.store.schema import RELEASES_SCHEMA, StoreSchema
from engine.store.workflows.quota import quota_exceeded
from engine.store.workflows.workflow_test_keys import workflow_tests
from engine.store.workflows.workflow_test_records import (
    DraftVerdict,
    LastResult,
    SavedTest,
    WorkflowTest,
)

MOST_TESTS = 200
"""Most tests of one workflow."""
NOUN = "Tests of workflows"
REVISION = ".revision"
LAST = ".last"


class WorkflowTests:
    """Writes, reads and deletes tests of an account's own workflows.

    Their records count in the account's quota of documents.
    """

    def __init__(self, client: Client, limits: Sequence[str], schema: StoreSchema) -> None:
        self._client = client
        self._limits = limits
        self._schema = schema

    async def write(
        self,
        account_id: str,
        slug: str,
        tests: Mapping[str, WorkflowTest],
        *,
        replaces: bool = False,
    ) -> int:
        """Write tests by name; with `replaces` the workflow has no others afterwards.

        Returns the revision of the tests. Raises WorkflowNotFound, QuotaExceeded, and Unavailable
        while the store's schema is old.
        """
        if not tests and not await self.list(account_id, slug):
            return 0  # also while the schema is old: nothing is to be written
        self._schema.require(RELEASES_SCHEMA, NOUN)
        written = [part for name in sorted(tests) for part in (name, tests[name].as_record())]
        reply = await self._client.call(
            SCRIPTS["save_tests"],
            workflow=keyspace.workflow(account_id, slug),
            tests=workflow_tests(account_id, slug),
            documents=keyspace.stored_documents(account_id),
            accounts=keyspace.accounts(partition_of(account_id)),
            account=account_id,
            replaces="1" if replaces else None,
            most=MOST_TESTS,
            written=written,
            limits=self._limits,
        )
        match reply:
            case [b"gone"]:
                raise WorkflowNotFound
            case [b"full", quota, used, limit]:
                raise quota_exceeded(quota, used, limit)
        return int(reply[1])

    async def get(self, account_id: str, slug: str, name: str) -> SavedTest:
        """Return a test. Raises WorkflowTestNotFound."""
        _check_name(name)
        key = workflow_tests(account_id, slug)
        record, last = await self._client.send("HMGET", key, name, name + LAST)
        if record is None:
            raise WorkflowTestNotFound
        return _parse(name, record, last)

    async def list(self, account_id: str, slug: str) -> Sequence[SavedTest]:
        """Return all tests by name."""
        return (await self.read(account_id, slug))[0]

    async def read(self, account_id: str, slug: str) -> tuple[Sequence[SavedTest], int]:
        """Return all tests by name, and their revision, which grows with each change."""
        key = workflow_tests(account_id, slug)
        fields = parse_hash(await self._client.send("HGETALL", key))
        names = sorted(each for each in fields if "." not in each)
        tests = [_parse(name, fields[name], fields.get(name + LAST)) for name in names]
        return tests, int(fields.get(REVISION, 0))

    async def revision(self, account_id: str, slug: str) -> int:
        """Return the revision of the tests; 0: there was none yet."""
        key = workflow_tests(account_id, slug)
        return int(await self._client.send("HGET", key, REVISION) or 0)

    async def draft_verdict(self, account_id: str, slug: str) -> DraftVerdict | None:
        """Return the verdict of the newest run of all tests on a draft; None: there was none."""
        key = keyspace.workflow(account_id, slug)
        field = await self._client.send("HGET", key, "tested")
        return None if field is None else DraftVerdict.from_field(field)

    async def draft_revision(self, account_id: str, slug: str) -> int | None:
        """Return the revision of the workflow's draft; None without a draft."""
        key = keyspace.workflow(account_id, slug)
        revision, saved = await self._client.send("HMGET", key, "draft_revision", "draft_saved")
        return None if saved is None else int(revision)

    async def record_run(
        self,
        account_id: str,
        slug: str,
        at: int,
        results: Sequence[tuple[str, WorkflowTest, LastResult]],
        verdict: DraftVerdict | None = None,
    ) -> None:
        """Record the results of a test run that began at this time in milliseconds.

        A test that was changed since has none, and a run that began later stands. Each result is
        beside its test and the name of that.
        """
        digests = (
            part for name, test, last in results for part in (name, _digest(test), last.as_record())
        )
        await self._client.call(
            SCRIPTS["record_test_run"],
            workflow=keyspace.workflow(account_id, slug),
            tests=workflow_tests(account_id, slug),
            at=at,
            tested=None if verdict is None else verdict.as_field(),
            results=list(digests),
        )

    async def delete(self, account_id: str, slug: str, name: str) -> None:
        """Delete a test. Raises WorkflowTestNotFound."""
        _check_name(name)
        is_deleted = await self._client.call(
            SCRIPTS["delete_test"],
            tests=workflow_tests(account_id, slug),
            documents=keyspace.stored_documents(account_id),
            name=name,
        )
        if not is_deleted:
            raise WorkflowTestNotFound


def _check_name(name: str) -> None:
    """Raise WorkflowTestNotFound for a name that none has, such as that of a last result."""
    if not is_test_name(name):
        raise WorkflowTestNotFound


def _parse(name: str, record: Any, last: Any) -> SavedTest:
    return SavedTest(
        name=name,
        test=WorkflowTest.from_record(record),
        last=None if last is None else LastResult.from_record(last),
    )


def _digest(test: WorkflowTest) -> str:
    """Return the digest of a test's record that scripts compute too."""
    return hashlib.sha1(test.as_record(), usedforsecurity=False).hexdigest()
