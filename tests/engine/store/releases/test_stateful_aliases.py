"""Scripts of aliases, saves and reviews, against a model of a workflow's aliases."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
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
KEPT, MOST_ALIASES = 2, 2
LIMITS = ("pro", ":")
names = st.sampled_from(["live", "live", "live", "a", "b", "c"])
State = dict[str, Any]


class Releases(RuleBasedStateMachine):
    """One workflow with its aliases."""

    def __init__(self, scripts: Scripts) -> None:
        super().__init__()
        self.scripts = scripts
        self.now = START
        self.done = 0
        self.live = self.latest = 0
        self.aliases: dict[str, State] = {}
        self.revision = 0

    @initialize()
    def begin_anew(self) -> None:
        self.scripts.send("FLUSHDB")
        self.scripts.send("HSET", "accounts", "acc", "pro|record")
        self.save("")

    def save(self, canary: str) -> Any:
        self.done += 1
        self.now += 1
        return self.scripts.run(
            "save_workflow",
            now=self.now,
            slug="echo",
            operation=f"op{self.done}",
            expected="" if self.done > 1 else "new",
            document=b"x" * self.done,
            account="acc",
            reference="acc/echo",
            names_digest="n",
            names="names",
            most_versions=KEPT,
            facts=b"f",
            summary=b"s",
            canary=canary,
            limits=LIMITS,
        )

    def note_save(self, reply: Any, canary: State | None) -> None:
        number = max(self.live, self.latest) + 1
        assert reply[:2] == [b"ok", str(number).encode()]
        former = self.aliases.pop("live", None)
        if canary is not None:
            self.aliases["live"] = {"version": self.live, "canary": canary | {"version": number}}
        else:
            self.live = number
        self.latest = number
        self.revision += bool(former or canary)

    @initialize()
    def note_first(self) -> None:
        self.live = self.latest = 1

    @rule()
    def publish(self) -> None:
        self.note_save(self.save(""), None)

    @rule(percent=st.integers(1, 99))
    def publish_a_canary(self, percent: int) -> None:
        canary = {"id": f"c{self.done}", "version": 0, "percent": percent}
        self.note_save(self.save(json.dumps(canary)), canary)

    @rule(data=st.data(), name=names, has_canary=st.booleans())
    def set_some(self, data: st.DataObject, name: str, has_canary: bool) -> None:
        numbers = st.integers(1, self.latest + 1)
        number = self.live if name == "live" else data.draw(numbers)
        canary = None
        if has_canary:
            canary = {"id": f"c{self.done}", "version": data.draw(numbers), "percent": 5}
        wanted = {number} | ({canary["version"]} if canary else set())
        self.now += 1
        reply = self.scripts.run(
            "set_alias",
            now=self.now,
            account="acc",
            name=name,
            version=None if name == "live" else number,
            live_version=number if name == "live" else None,
            canary=canary and json.dumps(canary),
            most_aliases=MOST_ALIASES,
            reason="Set",
            limits=LIMITS,
        )
        if not wanted <= self.kept():
            assert reply == [b"no_document"]
        elif canary and canary["version"] == number:
            assert reply == [b"same"]
        elif name != "live" and len(set(self.aliases) - {"live", name}) >= MOST_ALIASES:
            assert reply == [b"many", MOST_ALIASES]
        else:
            assert reply[0] == b"ok"
            self.note_set(name, number, canary)

    def note_set(self, name: str, number: int, canary: State | None) -> None:
        former = self.aliases.get(name) or ({"version": self.live} if name == "live" else None)
        current = {"version": number} | ({"canary": canary} if canary else {})
        if former is not None and without_ids(former) == without_ids(current):
            return
        self.revision += 1
        self.aliases.pop(name, None)
        if canary or name != "live":
            self.aliases[name] = current

    @precondition(lambda self: self.aliases)
    @rule(data=st.data())
    def promote(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.aliases)))
        canary = self.aliases[name].get("canary") or {"id": "none", "version": 999}
        self.now += 1
        self.done += 1
        reply = self.scripts.run(
            "promote_alias",
            workflows_by_time="workflows_by_time",
            workflows_due="workflows_due",
            callers="callers",
            now=self.now,
            account="acc",
            slug="echo",
            reference="acc/echo",
            name=name,
            version=canary["version"],
            canary_id=canary["id"],
            operation=f"op{self.done}",
            document=b"x" * self.done,
            summary=b"s",
            reason="Promoted",
            limits=LIMITS,
        )
        if canary["id"] == "none":
            assert reply == [b"changed"]
            return
        assert reply[0] == b"ok"
        self.revision += 1
        if name == "live":
            self.live = canary["version"]
            del self.aliases[name]
        else:
            self.aliases[name] = {"version": canary["version"]}

    @rule(name=st.sampled_from("abc"))
    def delete(self, name: str) -> None:
        is_there = name in self.aliases
        reply = self.scripts.run("delete_alias", name=name)
        assert reply == (b"ok" if is_there else b"missing")
        if is_there:
            self.revision += 1
            del self.aliases[name]

    @rule(run=st.booleans())
    def review(self, run: bool) -> None:
        first, begun = self.live, self.scripts.send("HGET", "workflow", "begun") or 0
        running = [self.run_live()] if run else []
        self.scripts.run(
            "review_workflow",
            now=self.now,
            reference="acc/echo",
            first_begun=first,
            most_versions=KEPT,
            undo_ms=1_000,
            names_ms=1_000,
            most_names=10,
            most_removed=100,
            again_ms=1_000,
            called_again_ms=1_000,
            public_run_ms=1,
            begun=begun,
            running=running,
        )

    def run_live(self) -> int:
        self.done += 1
        name = f"x{self.done}"
        reply = self.scripts.run(
            "accept_execution",
            **acceptance(
                name,
                workflow="workflow",
                now=self.now,
                reference=f"acc/{name}",
                version=self.live,
                aliases_revision=self.revision,
                fields={"slug": "echo", "inputs": b""},
            ),
        )
        assert reply[0] == b"ok"
        return self.live

    @rule(behind=st.integers(1, 3))
    def run_with_other_aliases(self, behind: int) -> None:
        reply = self.scripts.run(
            "accept_execution",
            **acceptance(
                "stale",
                workflow="workflow",
                now=self.now,
                reference="acc/stale",
                version=self.live,
                aliases_revision=self.revision + behind,
                fields={"slug": "echo", "inputs": b""},
            ),
        )
        assert reply == [b"stale", str(self.live).encode()]

    def kept(self) -> set[int]:
        fields = self.scripts.send("HKEYS", "workflow")
        return {int(each[1:]) for each in fields if each[:1] == b"d" and each[1:].isdigit()}

    @invariant()
    def aliases_are_those_of_the_model(self) -> None:
        stored = self.scripts.send("HGET", "workflow", "aliases")
        found = json.loads(stored) if stored else {}
        for alias in found.values():
            alias.pop("updatedAt")
        assert found == self.aliases
        revision = self.scripts.send("HGET", "workflow", "aliases_revision")
        assert int(revision or 0) == self.revision

    @invariant()
    def named_versions_are_kept(self) -> None:
        if not self.latest:
            return
        wanted = {self.live, self.latest}
        for alias in self.aliases.values():
            wanted |= {alias["version"]}
            wanted |= {alias["canary"]["version"]} if "canary" in alias else set()
        assert wanted <= self.kept()

    @invariant()
    def counted_bytes_are_those_that_are_stored(self) -> None:
        workflow = self.scripts.send("HGETALL", "workflow")
        node_names = self.scripts.send("HGETALL", "node_names")
        history = self.scripts.send("HGETALL", "alias_history")
        stored = sum(
            len(value)
            for name, value in workflow.items()
            if name[:1] in (b"d", b"m") and name[1:].isdigit()
        )
        stored += sum(len(value) for name, value in node_names.items() if name[:1] == b"n")
        entries = sum(len(value) for value in history.values() if value[:1] == b"{")
        assert int(history.get(b"bytes", 0)) == entries
        counted = int(self.scripts.send("HGET", "documents", "bytes") or 0)
        assert counted == stored + entries


def without_ids(state: State) -> State:
    canary = state.get("canary")
    return state | ({"canary": canary | {"id": ""}} if canary else {})


@pytest.fixture
def scripts(redis_url: str) -> Iterator[Scripts]:
    found = Scripts(redis_url)
    yield found
    found.close()


def test_aliases_hold_against_a_model(scripts: Scripts) -> None:
    run_state_machine_as_test(lambda: Releases(scripts), settings=profile(25, 25, is_random=False))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_aliases_hold_against_a_model_for_long(scripts: Scripts) -> None:
    run_state_machine_as_test(lambda: Releases(scripts), settings=profile(600, 60, is_random=True))
