"""Scripts that save, delete and remove versions, against a model with the same counters."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.support.store.acceptance import acceptance
from tests.support.store.script_runner import Scripts, profile

START = 1_000_000
KEPT, NAMES_KEPT, LIMIT, MOST = 2, 3, 140, 2
UNDO, KEEP_NAMES, AGAIN, PUBLIC = 10_000_000, 20_000_000, 60_000, 7_200_000
SLUGS = ("a", "b", "c")
LIMITS = ("free", "0:0", "pro", f"{MOST}:{LIMIT}")
slugs = st.sampled_from("aaaaabbc")


@dataclass
class Saved:
    """Workflow of the model."""

    version: int = 0
    is_deleted: bool = False
    deleted_at: int = 0
    restored: int = 0
    """The version with which a delete was taken back; those before it may be gone."""
    run: dict[int, int] = field(default_factory=dict)
    """End of the last execution of a version; the present while one runs."""


class Versions(RuleBasedStateMachine):
    """One account, its workflows and executions, and a clock that jumps."""

    def __init__(self, scripts: Scripts) -> None:
        super().__init__()
        self.scripts = scripts
        self.now = START
        self.saved: dict[str, Saved] = {}
        self.running: dict[str, tuple[str, int]] = {}
        self.looks: dict[str, tuple[int, int, list[int]]] = {}
        """Last review of each workflow: versions that could begin from then on, and those that ran.
        """
        self.begun_by_others: dict[tuple[str, int], int] = {}
        """Time at which another account last began to run a version."""
        self.done = 0

    @initialize()
    def begin_anew(self) -> None:
        self.scripts.send("FLUSHDB")
        self.scripts.send("HSET", "accounts", "acc", "pro|record")

    def save(
        self, slug: str, size: int, names: str, expected: str, revision: str = ""
    ) -> list[Any]:
        self.done += 1
        reply = self.scripts.run(
            "save_workflow",
            workflow=f"w:{slug}",
            node_names=f"n:{slug}",
            now=self.now,
            slug=slug,
            operation=f"op{self.done}",
            expected=expected,
            document=b"x" * size,
            account="acc",
            reference=f"acc/{slug}",
            names_digest=names,
            names=names * 5,
            most_versions=KEPT,
            facts=b"f",
            draft_revision=revision,
            summary=b"s",
            limits=LIMITS,
        )
        assert isinstance(reply, list)
        return reply

    @rule(slug=slugs, size=st.integers(1, 12), names=st.sampled_from("xyz"))
    def save_some(self, slug: str, size: int, names: str) -> None:
        known = self.saved.get(slug)
        before = self.stored()
        reply = self.save(slug, size, names, "" if known else "new")
        if reply[0] == b"ok":
            known = self.saved.setdefault(slug, Saved())
            known.version += 1
            assert int(reply[1]) == known.version
            return
        assert self.stored() == before
        if known is not None and known.is_deleted:
            assert reply == [b"gone"]
        elif reply[1] == b"workflows":
            assert reply == [b"full", b"workflows", MOST, MOST]
            assert known is None
        else:
            assert reply == [b"full", b"bytes", before[0], LIMIT]

    @precondition(lambda self: self.living())
    @rule(data=st.data(), text=st.integers(1, 12))
    def run_and_save_again(self, data: st.DataObject, text: int) -> None:
        slug = data.draw(st.sampled_from(self.living()))
        self.run(slug)
        self.save_some(slug, text, "x")

    @precondition(lambda self: self.living())
    @rule(data=st.data())
    def run_and_push_out_while_it_is_looked_at(self, data: st.DataObject) -> None:
        slug = data.draw(st.sampled_from(self.living()))
        self.look(slug)
        self.run(slug)
        for _ in range(KEPT):
            self.save_some(slug, 1, "x")
        self.review_of(slug, room=100, kept=KEPT)

    @precondition(lambda self: self.living())
    @rule(data=st.data())
    def run_some(self, data: st.DataObject) -> None:
        self.run(data.draw(st.sampled_from(self.living())))

    @precondition(lambda self: self.living())
    @rule(data=st.data())
    def run_by_another_account(self, data: st.DataObject) -> None:
        slug = data.draw(st.sampled_from(self.living()))
        version = self.saved[slug].version
        reply = self.scripts.run(
            "begin_public_run", workflow=f"w:{slug}", now=self.now, version=version
        )
        assert reply == b"ok"
        self.begun_by_others[(slug, version)] = self.now

    @precondition(lambda self: self.living())
    @rule(data=st.data())
    def run_a_named_version(self, data: st.DataObject) -> None:
        slug = data.draw(st.sampled_from(self.living()))
        self.run_at(slug, data.draw(st.integers(1, self.saved[slug].version)))

    @precondition(lambda self: self.living())
    @rule(data=st.data())
    def run_a_named_version_while_it_is_looked_at(self, data: st.DataObject) -> None:
        slug = data.draw(st.sampled_from(self.living()))
        self.look(slug)
        self.run_at(slug, data.draw(st.integers(1, self.saved[slug].version)))
        self.review_of(slug, room=100, kept=KEPT)

    def run_at(self, slug: str, version: int) -> None:
        """Run a version that need not be live."""
        is_there = self.scripts.send("HEXISTS", f"w:{slug}", f"d{version}")
        reply = self.accept(slug, version, version_kind="named")
        assert reply[0] == (b"ok" if is_there else b"no_document")
        if is_there:
            self.running[f"x{self.done}"] = (slug, version)
            self.saved[slug].run[version] = self.now

    def run(self, slug: str) -> None:
        version = self.saved[slug].version
        assert self.accept(slug, version)[0] == b"ok"
        self.running[f"x{self.done}"] = (slug, version)
        self.saved[slug].run[version] = self.now

    def accept(self, slug: str, version: int, **options: str) -> Any:
        self.done += 1
        name = f"x{self.done}"
        return self.scripts.run(
            "accept_execution",
            **acceptance(
                name,
                workflow=f"w:{slug}",
                now=self.now,
                reference=f"acc/{name}",
                version=version,
                fields={"slug": slug, "inputs": b""},
                **options,
            ),
        )

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.running)))
        slug, version = self.running.pop(name)
        self.saved[slug].run[version] = self.now

    @precondition(lambda self: self.living())
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        slug = data.draw(st.sampled_from(self.living()))
        is_deleted = self.scripts.run(
            "delete_workflow",
            workflow=f"w:{slug}",
            now=self.now,
            slug=slug,
            reference=f"acc/{slug}",
            most_callers=1,
        )
        assert is_deleted == 1
        self.saved[slug].is_deleted = True
        self.saved[slug].deleted_at = self.now

    @rule(slug=slugs, size=st.integers(1, 12))
    def write_draft(self, slug: str, size: int) -> None:
        self.done += 1
        before, known = self.stored(), self.saved.get(slug)
        reply = self.scripts.run(
            "save_draft",
            workflow=f"w:{slug}",
            now=self.now,
            operation=f"op{self.done}",
            document=b"x" * size,
            account="acc",
            slug=slug,
            summary=b"s",
            limits=LIMITS,
        )
        if reply[0] != b"ok":
            assert self.stored() == before
            is_living = known is not None and not known.is_deleted
            assert reply == ([b"full", b"bytes", before[0], LIMIT] if is_living else [b"gone"])

    @precondition(lambda self: self.living())
    @rule(data=st.data(), size=st.integers(1, 12))
    def publish(self, data: st.DataObject, size: int) -> None:
        slug = data.draw(st.sampled_from(self.living()))
        before = self.stored()
        has_draft = self.scripts.send("HEXISTS", f"w:{slug}", "draft")
        revision = self.scripts.send("HGET", f"w:{slug}", "draft_revision") or b"1"
        reply = self.save(slug, size, "x", "", revision.decode())
        if reply[0] == b"ok":
            assert has_draft
            assert not self.scripts.send("HEXISTS", f"w:{slug}", "draft")
            self.saved[slug].version += 1
        else:
            assert self.stored() == before
            assert has_draft or reply == [b"moved", b"0"]

    @rule(slug=slugs)
    def discard_draft(self, slug: str) -> None:
        self.scripts.run("discard_draft", workflow=f"w:{slug}", slug=slug)

    @rule(slug=slugs)
    def restore(self, slug: str) -> None:
        reply = self.scripts.run(
            "restore_workflow",
            workflow=f"w:{slug}",
            now=self.now,
            slug=slug,
            reference=f"acc/{slug}",
            undo_ms=UNDO,
        )
        known = self.saved.get(slug)
        if known is None or (known.is_deleted and self.now >= known.deleted_at + UNDO):
            assert reply == b"gone"
        elif known.is_deleted:
            assert reply == b"ok"
            known.is_deleted = False
            known.restored = known.version
        else:
            assert reply == b"living"

    @rule(slug=slugs)
    def look(self, slug: str) -> None:
        """First half of a review: others save, run and delete before the second."""
        known = self.saved.get(slug, Saved())
        runs = sorted(version for each, version in self.running.values() if each == slug)
        begun = int(self.scripts.send("HGET", f"w:{slug}", "begun") or 0)
        self.looks[slug] = (known.version + known.is_deleted, begun, runs)

    @precondition(lambda self: self.looks)
    @rule(data=st.data(), room=st.sampled_from([1, 2, 100]), kept=st.sampled_from([KEPT, KEPT - 1]))
    def review_what_was_looked_at(self, data: st.DataObject, room: int, kept: int) -> None:
        self.review_of(data.draw(st.sampled_from(sorted(self.looks))), room, kept)

    def review_of(self, slug: str, room: int, kept: int) -> None:
        first, begun, runs = self.looks[slug]
        self.scripts.run(
            "review_workflow",
            workflow=f"w:{slug}",
            node_names=f"n:{slug}",
            now=self.now,
            reference=f"acc/{slug}",
            first_begun=first,
            most_versions=kept,
            undo_ms=UNDO,
            names_ms=KEEP_NAMES,
            most_names=NAMES_KEPT,
            most_removed=room,
            again_ms=AGAIN,
            called_again_ms=AGAIN,
            public_run_ms=PUBLIC,
            begun=begun,
            running=runs,
        )

    @rule(slug=slugs)
    def review(self, slug: str) -> None:
        self.look(slug)
        self.review_of(slug, room=100, kept=KEPT)

    @rule(milliseconds=st.sampled_from([1, 60_000, 3_600_000, UNDO, KEEP_NAMES]))
    def let_time_pass(self, milliseconds: int) -> None:
        self.now += milliseconds

    # -- what must hold ---------------------------------------------------------------------------

    def living(self) -> list[str]:
        return [slug for slug, known in self.saved.items() if not known.is_deleted]

    def stored(self) -> tuple[int, int]:
        """Return the counted bytes and workflows."""
        found = self.scripts.send("HMGET", "documents", "bytes", "workflows")
        return int(found[0] or 0), int(found[1] or 0)

    def read(self) -> dict[str, tuple[dict[str, bytes], dict[str, bytes]]]:
        """Return each workflow with its nodes' names."""
        keys = [f"{kind}:{slug}" for slug in SLUGS for kind in "wn"]
        read = iter(self.scripts.send_all(*(("HGETALL", key) for key in keys)))
        plain = ({name.decode(): value for name, value in each.items()} for each in read)
        return {slug: (next(plain), next(plain)) for slug in SLUGS}

    @invariant()
    def all_is_as_it_must_be(self) -> None:
        read = self.read()
        self.check_counts(read)
        for slug, known in self.saved.items():
            self.check_needed(slug, known, *read[slug])

    def check_counts(self, read: dict[str, tuple[dict[str, bytes], dict[str, bytes]]]) -> None:
        """Compare the counters with the stored data."""
        size = count = 0
        for workflow, names in read.values():
            size += sum(len(value) for name, value in workflow.items() if is_counted(name))
            size += sum(len(value) for name, value in names.items() if name[0] == "n")
            count += bool(workflow)
            used = [
                value.partition(b":")[0].decode() for name, value in names.items() if "v" in name
            ]
            counts = {name[1:]: int(value) for name, value in names.items() if name[0] == "c"}
            assert counts == {each: used.count(each) for each in used}
            assert {name[1:] for name in names if name[0] == "n"} == set(used)
        assert self.stored() == (size, count)
        assert size <= LIMIT
        assert count <= MOST

    def check_needed(
        self, slug: str, known: Saved, workflow: dict[str, bytes], names: dict[str, bytes]
    ) -> None:
        """Check that latest, running and restorable versions are there, and their names."""
        there = documents(workflow)
        for running, version in self.running.values():
            assert running != slug or version in there
        for (begun, version), at in self.begun_by_others.items():
            assert begun != slug or self.now >= at + PUBLIC or version in there
        if not known.is_deleted:
            # One version less after a displacement by a save.
            first = max(1, known.restored, known.version - KEPT + 2)
            assert there >= set(range(first, known.version + 1))
        elif self.now < known.deleted_at + UNDO:
            assert known.version in there
        for version in there:
            assert f"v{version}" in names
            assert f"m{version}" in workflow
        readable = [each for each, at in known.run.items() if self.now < at + KEEP_NAMES]
        for version in sorted(readable)[-NAMES_KEPT:]:
            assert f"v{version}" in names

    def teardown(self) -> None:
        """After all executions have ended and expired, only the kept versions are left."""
        self.running.clear()
        for milliseconds in (0, UNDO, KEEP_NAMES, KEEP_NAMES):
            self.now += milliseconds
            while due := self.scripts.send(
                *("ZRANGE", "workflows_due", "-inf", self.now, "BYSCORE", "LIMIT", 0, 1)
            ):
                slug = due[0].decode().partition("/")[2]
                self.look(slug)
                self.review_of(slug, room=2, kept=KEPT)
        read = self.read()
        self.check_counts(read)
        assert self.scripts.send("ZCARD", "workflows_due") == 0
        for slug, known in self.saved.items():
            workflow, names = read[slug]
            there = documents(workflow)
            last = range(max(1, known.version - KEPT + 1), known.version + 1)
            assert there <= (set() if known.is_deleted else set(last))
            assert {int(name[1:]) for name in names if name[0] == "v"} == there
            assert bool(workflow) is not known.is_deleted


def documents(workflow: dict[str, bytes]) -> set[int]:
    return {int(name[1:]) for name in workflow if is_document(name)}


def is_document(name: str) -> bool:
    return name[0] == "d" and name[1:].isdigit()


def is_counted(name: str) -> bool:
    return name == "draft" or (name[0] in "dm" and name[1:].isdigit())


@pytest.fixture
def scripts(redis_url: str) -> Iterator[Scripts]:
    scripts = Scripts(redis_url)
    yield scripts
    scripts.close()


def check(scripts: Scripts, examples: int, steps: int, *, is_random: bool) -> None:
    run_state_machine_as_test(
        lambda: Versions(scripts),
        settings=settings(profile(examples, steps, is_random=is_random), phases=[Phase.generate]),
    )


def test_versions_are_counted_and_removed_as_the_model_says(scripts: Scripts) -> None:
    check(scripts, 15, 40, is_random=False)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_versions_are_counted_and_removed_as_the_model_says_for_long(scripts: Scripts) -> None:
    check(scripts, 600, 80, is_random=True)
