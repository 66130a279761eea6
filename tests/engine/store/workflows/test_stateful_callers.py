"""The index of callers, against a model of the documents that each workflow has."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.support.store.script_runner import Scripts, profile

SLUGS = ("a", "b", "a-2")
LIMITS = ("pro", "100:100000")
slugs = st.sampled_from(SLUGS)
calls = st.sets(st.sampled_from([*SLUGS, "a@1", "b@1", "b@12"]), max_size=3).map(
    lambda each: " ".join(sorted(each))
)


@dataclass
class Saved:
    """Workflow of the model; None stands for a document that is not there."""

    live: str | None = None
    draft: str | None = None
    is_deleted: bool = False

    @property
    def calls(self) -> set[str]:
        return set() if self.is_deleted else {*(self.live or "").split(), *self.draft_calls}

    @property
    def draft_calls(self) -> list[str]:
        return (self.draft or "").split()


class Callers(RuleBasedStateMachine):
    """Workflows of one account that call each other."""

    def __init__(self, scripts: Scripts) -> None:
        super().__init__()
        self.scripts = scripts
        self.saved: dict[str, Saved] = {}
        self.done = 0

    @initialize()
    def begin_anew(self) -> None:
        self.scripts.send("FLUSHDB")
        self.scripts.send("HSET", "accounts", "acc", "pro|record")

    def run(self, script: str, slug: str, **arguments: Any) -> Any:
        self.done += 1
        key = {"workflow": f"w:{slug}"}
        return self.scripts.run(script, **key, slug=slug, now=1_000, **arguments)

    def write(self, script: str, slug: str, **arguments: Any) -> bool:
        reply = self.run(
            script,
            slug,
            operation=f"op{self.done}",
            document=b"x",
            account="acc",
            summary=b"s",
            limits=LIMITS,
            **arguments,
        )
        return bool(reply[0] == b"ok")

    @rule(slug=slugs, calls=calls, publishes=st.booleans())
    def save(self, slug: str, calls: str, publishes: bool) -> None:
        known = self.saved.get(slug)
        revision = self.scripts.send("HGET", f"w:{slug}", "draft_revision") if publishes else b""
        is_saved = self.write(
            "save_workflow",
            slug,
            node_names=f"n:{slug}",
            expected="" if known else "new",
            reference=f"acc/{slug}",
            names_digest="x",
            names="x",
            most_versions=2,
            facts=b"f",
            draft_revision=revision or b"",
            calls=calls,
        )
        if is_saved:
            known = self.saved.setdefault(slug, Saved())
            known.live = calls
            known.draft = None if revision else known.draft

    @rule(slug=slugs, calls=calls)
    def write_draft(self, slug: str, calls: str) -> None:
        expected = "" if slug in self.saved else "new"
        if self.write("save_draft", slug, expected=expected, calls=calls):
            self.saved.setdefault(slug, Saved()).draft = calls

    @rule(slug=slugs)
    def discard_draft(self, slug: str) -> None:
        if self.scripts.run("discard_draft", workflow=f"w:{slug}", slug=slug) == [b"ok"]:
            self.saved[slug].draft = None

    @rule(slug=slugs, is_forced=st.booleans())
    def delete(self, slug: str, is_forced: bool) -> None:
        forced = {"is_forced": "1"} if is_forced else {}
        reply = self.run(
            "delete_workflow", slug, reference=f"acc/{slug}", most_callers=10, **forced
        )
        known = self.saved.get(slug)
        if known is None or known.is_deleted:
            assert reply == 0
            return
        callers = self.callers_of(slug)
        if callers and not is_forced:
            assert reply[0] == b"used" and len(reply) == 1 + len(callers)
            assert {each.decode() for each in reply[1:]} == callers
            return
        assert reply == 1
        known.is_deleted = True

    @rule(slug=slugs)
    def restore(self, slug: str) -> None:
        reply = self.run("restore_workflow", slug, reference=f"acc/{slug}", undo_ms=1_000)
        if reply == b"ok":
            self.saved[slug].is_deleted = False

    def callers_of(self, slug: str) -> set[str]:
        return {
            name
            for name, known in self.saved.items()
            if name != slug and slug in {call.partition("@")[0] for call in known.calls}
        }

    @invariant()
    def the_index_has_the_calls_of_living_workflows(self) -> None:
        found = {each.decode() for each in self.scripts.send("ZRANGE", "callers", 0, -1)}
        assert found == {
            f"{call}/{slug}" for slug, known in self.saved.items() for call in known.calls
        }


@pytest.fixture
def scripts(redis_url: str) -> Iterator[Scripts]:
    scripts = Scripts(redis_url)
    yield scripts
    scripts.close()


def test_the_index_of_callers_is_that_of_the_model(scripts: Scripts) -> None:
    run_state_machine_as_test(
        lambda: Callers(scripts),
        settings=settings(profile(40, 40, is_random=False), phases=[Phase.generate]),
    )
