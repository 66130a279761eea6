"""`headrace workflow alias` and `replay`, on a server and in process."""

import json
from typing import Any

import pytest

from tests.support.acceptance.commands import json_of
from tests.support.acceptance.documents import save
from tests.support.acceptance.running_stack import RunningStack
from tests.support.gateway.documents import edge, node


@pytest.fixture(params=["server", "in process"])
def way(request: pytest.FixtureRequest, stack: RunningStack) -> tuple[str, ...]:
    """Options with which a command calls a gateway, or answers itself."""
    account = json.loads((stack.data_dir / "demo.json").read_text())["accountId"]
    return () if request.param == "server" else ("--account", account)


def saying(word: str) -> tuple[list[Any], list[Any]]:
    """Return nodes and edges of a text with a word."""
    field = {"name": "who", "label": "who", "type": "text"}
    nodes = [
        node("in", "requestInput", fields=[field]),
        node("text", "textBox", text=f"{word} {{{{ who }}}}"),
        node("out", "responseOutput"),
    ]
    edges = [edge("in", "who", "text", "who"), edge("text", "text-out", "out", "result-in")]
    return nodes, edges


def change(stack: RunningStack, slug: str, word: str, *, draft: bool = False) -> None:
    """Save the next version, or the draft."""
    nodes, edges = saying(word)
    body = {"nodes": nodes, "edges": edges, "draft": draft}
    status, answer = stack.api("PUT", f"/api/workflows/{slug}", body)
    assert status == 200, answer


def greet(stack: RunningStack, slug: str, who: str = "Ada", query: str = "") -> Any:
    """Run a workflow; return its answer."""
    body = {"inputs": {"who": who}}
    status, answer = stack.api("POST", f"/api/workflows/{slug}/run{query}", body)
    assert status == 200, answer
    return answer


@pytest.fixture
def slug(stack: RunningStack) -> str:
    """A workflow with two versions, of which the second is live."""
    slug = save(stack, stack.key, "Greeter", *saying("Dear"))
    change(stack, slug, "Hello")
    return slug


def test_an_alias_is_set_listed_followed_and_deleted(
    stack: RunningStack, way: tuple[str, ...], slug: str
) -> None:
    made = json_of(stack, "workflow", "alias", "set", slug, "stable", "1", *way)
    ran = greet(stack, slug, query="?version=stable")
    listed = json_of(stack, "workflow", "alias", "list", slug, *way)
    shown = stack.command("workflow", "alias", "list", slug, *way).stdout
    moved = json_of(stack, "workflow", "alias", "set", slug, "stable", "2", *way)
    history = json_of(stack, "workflow", "alias", "history", slug, "stable", *way)
    table = stack.command("workflow", "alias", "history", slug, "stable", *way).stdout
    deleted = stack.command("workflow", "alias", "delete", slug, "stable", *way)

    assert (made["name"], made["version"], made["canary"]) == ("stable", 1, None)
    assert ran["result"] == {"text": "Dear Ada"}
    assert {each["name"]: each["version"] for each in listed} == {"live": 2, "stable": 1}
    assert "stable" in shown and "live" in shown
    assert moved["version"] == 2
    assert [each["by"] for each in history] == ["user", "user"]
    assert "version 1 → version 2" in table
    assert (deleted.returncode, deleted.stdout, deleted.stderr) == (0, "", "")
    assert [each["name"] for each in json_of(stack, "workflow", "alias", "list", slug, *way)] == [
        "live"
    ]


def test_a_canary_is_set_changed_counted_ended_and_promoted(
    stack: RunningStack, way: tuple[str, ...], slug: str
) -> None:
    words = ("workflow", "alias", "canary", slug, "stable")
    json_of(stack, "workflow", "alias", "set", slug, "stable", "1", *way)
    rule = ("--percent", "40", "--max-error-rate", "0.1", "--max-p95-ms", "9000")

    made = json_of(stack, *words, "2", *rule, *way)
    answers = {greet(stack, slug, f"{n}", "?version=stable")["result"]["text"] for n in range(40)}
    counts = json_of(stack, *words, *way)
    table = stack.command(*words, *way).stdout
    changed = json_of(stack, *words, "--percent", "60", *way)
    ended = json_of(stack, *words, "--end", *way)
    again = json_of(stack, *words, "2", "--percent", "5", *way)
    promoted = json_of(stack, "workflow", "alias", "promote", slug, "stable", *way)

    canary = made["canary"]
    assert (canary["version"], canary["percent"], canary["minRuns"]) == (2, 40, 50)
    assert (canary["maxErrorRate"], canary["maxP95Ms"]) == (0.1, 9000)
    assert {text.split()[0] for text in answers} == {"Dear", "Hello"}
    assert counts["canary"]["runs"] + counts["live"]["runs"] == 40
    assert [line.split()[0] for line in table.splitlines()] == ["SIDE", "canary", "live"]
    assert (changed["canary"]["version"], changed["canary"]["percent"]) == (2, 60)
    assert (ended["version"], ended["canary"]) == (1, None)
    assert again["canary"]["percent"] == 5
    assert (promoted["version"], promoted["canary"]) == (2, None)


def test_a_draft_is_published_as_a_canary(stack: RunningStack, slug: str) -> None:
    change(stack, slug, "Hey", draft=True)

    published = stack.command(
        "workflow", "publish", slug, "--yes", "--canary", "50", "--max-error-rate", "0.5"
    )
    [live] = json_of(stack, "workflow", "alias", "list", slug)
    promoted = json_of(stack, "workflow", "alias", "promote", slug, "live")

    assert published.returncode == 0, published.stderr
    assert published.stdout.splitlines()[-1].endswith("3        50 % of runs")
    assert (live["name"], live["version"], live["canary"]["version"]) == ("live", 2, 3)
    assert (promoted["version"], promoted["canary"]) == (3, None)
    assert greet(stack, slug)["result"] == {"text": "Hey Ada"}


def test_runs_are_replayed_against_the_draft_and_differ(
    stack: RunningStack, way: tuple[str, ...], slug: str
) -> None:
    ids = [greet(stack, slug, who)["executionId"] for who in ("Ada", "Eve")]
    words = ("workflow", "replay", "run", slug)
    same = stack.command(*words, "--against", "2", "--watch", *way)
    change(stack, slug, "Hey", draft=True)

    differs = stack.command(*words, "--execution", ids[0], "--watch", *way)
    begun = stack.command(*words, "--last", "2", *way).stdout.strip()
    shown = stack.command("workflow", "replay", "show", begun, "--watch", "--json", *way)
    listed = json_of(stack, "workflow", "replay", "list", "--limit", "3", *way)

    assert same.returncode == 0, same.stderr
    assert same.stdout.splitlines()[-1].endswith("completed: 2 same")
    assert differs.returncode == 3
    assert 'result.text: "Hello Ada" → "Hey Ada"' in differs.stdout
    assert differs.stderr.splitlines()[-1].endswith("differ: 1 different.")
    found = json.loads(shown.stdout)
    assert shown.returncode == 3
    assert {row["executionId"] for row in found["rows"]} == set(ids)
    assert listed[0]["replayId"] == begun
    assert len(listed) == 3


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("alias", "canary", "x", "live", "--end", "--percent", "5"), 2, "--end"),
        (("alias", "canary", "x", "live", "3"), 2, "--percent"),
        (("alias", "canary", "x", "live", "--min-runs", "3"), 2, "--percent"),
        (("publish", "x", "--yes", "--max-p95-ms", "3"), 2, "--canary"),
        (("alias", "set", "no-such", "stable", "1"), 1, "orkflow not found"),
        (("alias", "promote", "no-such", "live"), 1, "orkflow not found"),
        (("replay", "run", "no-such"), 1, "orkflow not found"),
        (("replay", "run", "x", "--last", "3", "--execution", "e"), 2, "--execution"),
        (("replay", "show", "no-such"), 1, "eplay not found"),
        (("replay", "cancel", "no-such"), 1, "eplay not found"),
    ],
)
def test_a_fault_is_a_sentence(
    stack: RunningStack, arguments: tuple[str, ...], code: int, told: str
) -> None:
    done = stack.command("workflow", *arguments)

    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_an_alias_without_a_canary_says_so(stack: RunningStack, slug: str) -> None:
    counted = stack.command("workflow", "alias", "canary", slug, "live")
    promoted = stack.command("workflow", "alias", "promote", slug, "live")
    changed = stack.command("workflow", "alias", "canary", slug, "live", "--percent", "5")

    assert {counted.returncode, promoted.returncode} == {1}
    assert "canary" in counted.stderr and "canary" in promoted.stderr
    assert f"headrace workflow alias history {slug} live" in counted.stderr
    assert changed.returncode == 2 and "name the VERSION" in changed.stderr
