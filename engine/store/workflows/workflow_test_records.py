"""Tests of workflows as they stand on record."""

from collections.abc import Mapping
from typing import Any, Self

from msgspec import Struct, convert, field, to_builtins

from engine.store.formats import Format
from engine.store.redis.record_packing import pack, unpack


class Judge(Struct, frozen=True, kw_only=True):
    """Workflow of the account that gives a score for the run of a test."""

    workflow: str
    """Its slug."""
    inputs: Mapping[str, str]
    """Expression in CEL for each of its inputs."""


class WorkflowTest(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Inputs of a run, and the expectations that it must meet."""

    inputs: Mapping[str, Any] = field(default_factory=dict)
    expect: tuple[str, ...] = ()
    """Conditions in CEL."""
    pinned: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By node and output socket: values that the node gives without running."""
    judge: Judge | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the test as a request has it; optional members that it lacks are left out."""
        members: dict[str, Any] = to_builtins(self)
        return {"inputs": dict(self.inputs), "expect": list(self.expect), **members}

    def as_record(self) -> bytes:
        """Return the test as the store keeps it: equal tests have equal records."""
        return pack({**self.as_dict(), **Format.WORKFLOW_TEST.members})

    @classmethod
    def from_record(cls, record: bytes) -> Self:
        """Return the test of a record. Raises RecordTooNew."""
        return cls.from_dict(_members(record))

    @classmethod
    def from_dict(cls, members: Mapping[str, Any]) -> Self:
        """Return the test with the members that `as_dict` gave."""
        return convert(members, cls)


class LastResult(Struct, frozen=True, kw_only=True):
    """Verdict on a test by the newest run of it that has ended."""

    test_run_id: str
    verdict: str
    version: int
    """Version of the workflow; 0: its draft."""
    at: int
    """Time in milliseconds at which the test run began."""

    def as_record(self) -> bytes:
        """Return the result as the store keeps it: scripts read its time."""
        packed = pack({**to_builtins(self), **Format.WORKFLOW_TEST.members})
        return f"{self.at}:".encode() + packed

    @classmethod
    def from_record(cls, record: bytes) -> Self:
        """Return the result of a record. Raises RecordTooNew."""
        return convert(_members(record.partition(b":")[2]), cls)


class DraftVerdict(Struct, frozen=True, kw_only=True):
    """Verdict of the newest run of all tests of a workflow on its draft."""

    at: int
    """Time in milliseconds at which the test run began."""
    draft_revision: int
    tests_revision: int
    failed: int
    """Number of tests that did not pass."""
    total: int
    test_run_id: str

    def as_field(self) -> str:
        """Return the verdict as the workflow's record has it."""
        numbers = (self.at, self.draft_revision, self.tests_revision, self.failed, self.total)
        return ":".join((*map(str, numbers), self.test_run_id))

    @classmethod
    def from_field(cls, field: bytes) -> Self:
        """Return the verdict of a field of the workflow's record."""
        at, draft, tests, failed, total, test_run_id = field.decode().split(":")
        return cls(
            at=int(at),
            draft_revision=int(draft),
            tests_revision=int(tests),
            failed=int(failed),
            total=int(total),
            test_run_id=test_run_id,
        )


class SavedTest(Struct, frozen=True, kw_only=True):
    """Test with its name and its last result."""

    name: str
    test: WorkflowTest
    last: LastResult | None


def _members(record: bytes) -> Mapping[str, Any]:
    members: Mapping[str, Any] = unpack(record)
    Format.WORKFLOW_TEST.check(members)
    return members
