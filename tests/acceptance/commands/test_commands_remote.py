"""Commands that call a server by its address and a key, from a machine without a stack."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.acceptance.commands import json_of, make_account
from tests.support.acceptance.documents import save, save_call
from tests.support.acceptance.running_stack import HEADRACE, RunningStack, environment, until
from tests.support.gateway.documents import edge, node
from tests.support.http.target import Stub, stub_server
from tests.support.media.files import png

LETTER = "greeting-letter"
HERE = Path(__file__).parents[3]


class Elsewhere:
    """Runs commands in an empty folder, with a server and a key in the environment."""

    def __init__(self, stack: RunningStack, folder: Path) -> None:
        self.environ = {"HEADRACE_URL": f"{stack.url}/", "HEADRACE_API_KEY": stack.key}
        self._stack = stack
        self._folder = ("--data-dir", str(folder / "nothing"))

    def command(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return self._stack.command(*arguments, *self._folder, **{**self.environ, **environ})

    def json_of(self, *arguments: str) -> Any:
        return json_of(self._stack, *arguments, *self._folder, **self.environ)


@pytest.fixture
def elsewhere(stack: RunningStack, tmp_path: Path) -> Elsewhere:
    return Elsewhere(stack, tmp_path)


@pytest.fixture(scope="module")
def server() -> Iterator[Stub]:
    with stub_server(holds=True) as started:
        yield started


# -- runs -----------------------------------------------------------------------------------------


def test_a_run_reaches_any_server_that_is_named(elsewhere: Elsewhere) -> None:
    waited = elsewhere.command("run", LETTER, "-i", "name=Grace")
    watched = elsewhere.command("run", LETTER, "-i", "name=Grace", "--watch")

    assert (waited.returncode, waited.stderr) == (0, "")
    assert waited.stdout.startswith("Dear Grace,\n") and watched.stdout == waited.stdout
    assert "letter: completed" in watched.stderr


def test_a_wrong_name_of_an_input_is_told_of_a_watched_run_too(elsewhere: Elsewhere) -> None:
    done = elsewhere.command("run", LETTER, "-i", "nmae=Grace", "--watch")

    assert done.returncode == 0
    assert done.stderr.splitlines()[-1] == (
        "headrace: The input 'nmae' was ignored: there is no field of that name"
    )


@pytest.mark.parametrize(
    ("arguments", "environ", "reported"),
    [
        ((), {"HEADRACE_API_KEY": ""}, "HEADRACE_URL needs a key: set HEADRACE_API_KEY"),
        ((), {"HEADRACE_URL": "example.org"}, "HEADRACE_URL must be the address of a server"),
        ((), {"HEADRACE_URL": "http://h:none"}, "HEADRACE_URL must be the address of a server"),
        ((), {"HEADRACE_URL": "http://127.0.0.1:1"}, "http://127.0.0.1:1 does not answer"),
        (("--key", "hr_live_nonsense"), {}, "Unauthorized"),
        (("--account", "acc_1"), {}, "--account needs the Redis of a stack"),
    ],
)
def test_a_server_that_cannot_be_called_is_told_in_a_sentence(
    arguments: tuple[str, ...], environ: dict[str, str], reported: str, elsewhere: Elsewhere
) -> None:
    done = elsewhere.command("run", LETTER, *arguments, **environ)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"headrace: {reported}")
    assert done.stderr.count("\n") == 1


def test_a_server_of_another_kind_is_told_from_a_headrace(
    elsewhere: Elsewhere, server: Stub
) -> None:
    done = elsewhere.command("run", LETTER, HEADRACE_URL=server.url)

    assert done.returncode == 1
    assert "does not answer as Headrace does" in done.stderr


@pytest.mark.parametrize("where", ["http", "store"])
def test_a_file_is_uploaded_as_the_input_that_it_is_given_for(
    where: str, stack: RunningStack, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    fields = [
        {"name": "photo", "label": "Photo", "type": "image", "required": True},
        {"name": "handle", "label": "Handle", "type": "text"},
    ]
    nodes = [node("form", "requestInput", fields=fields), node("end", "responseOutput")]
    edges = [edge("form", "photo", "end", "result-in")]
    slug = save(stack, stack.key, "Photo", nodes, edges)
    (tmp_path / "cat.png").write_bytes(png(4, 3))
    inputs = ("-i", f"photo=@{tmp_path / 'cat.png'}", "-i", "handle=@ada")
    owner = json.loads((stack.data_dir / "demo.json").read_text())["accountId"]

    if where == "http":
        answer = elsewhere.json_of("run", slug, *inputs)
    else:
        answer = json_of(stack, "run", slug, *inputs, "--account", owner)

    execution_id = answer["executionId"]
    _, execution = stack.api("GET", f"/api/executions/{execution_id}")
    _, asset = stack.api("GET", f"/api/assets/{execution['assets'][0]['id']}")
    assert (answer["success"], asset["contentType"], asset["width"]) == (True, "image/png", 4)
    assert json_of(stack, "execution", "show", execution_id, "--account", owner) == execution


def test_a_file_that_is_no_picture_is_refused_by_the_server(
    stack: RunningStack, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    fields = [{"name": "photo", "label": "Photo", "type": "image"}]
    nodes = [node("form", "requestInput", fields=fields), node("end", "responseOutput")]
    slug = save(stack, stack.key, "Photo", nodes, [edge("form", "photo", "end", "result-in")])
    (tmp_path / "cat.png").write_text("no picture")

    refused = elsewhere.command("run", slug, "-i", f"photo=@{tmp_path / 'cat.png'}")
    missing = elsewhere.command("run", slug, "-i", "photo=@no-such-file.png")

    assert (refused.returncode, missing.returncode) == (1, 1)
    assert "Traceback" not in refused.stderr
    assert missing.stderr == "headrace: The input 'photo' names no file: no-such-file.png.\n"


def test_a_failed_run_names_the_node_the_code_and_the_reason(
    stack: RunningStack, elsewhere: Elsewhere
) -> None:
    nodes = [node("oops", "transform", expression="value.missing"), node("end", "responseOutput")]
    slug = save(stack, stack.key, "Fails", nodes, [edge("oops", "value-out", "end", "result-in")])

    done = elsewhere.command("run", slug, "--json")
    watched = elsewhere.command("run", slug, "--watch")

    error = json.loads(done.stdout)["error"]
    sentence = f" failed at the node 'oops' ({error['nodeCode']}): {error['reason']}\n"
    assert (done.returncode, watched.returncode) == (1, 1)
    assert done.stderr.endswith(sentence) and watched.stderr.endswith(sentence)


def test_a_failed_execution_is_retried_over_http_and_in_the_store(
    stack: RunningStack, elsewhere: Elsewhere
) -> None:
    owner = json.loads((stack.data_dir / "demo.json").read_text())["accountId"]
    nodes = [node("oops", "transform", expression="value.missing"), node("end", "responseOutput")]
    slug = save(stack, stack.key, "Fails", nodes, [edge("oops", "value-out", "end", "result-in")])
    first = json.loads(elsewhere.command("run", slug, "--json").stdout)["executionId"]

    started = elsewhere.json_of("execution", "retry", first)
    told = json_of(stack, "execution", "retry", first, "--account", owner)
    done = elsewhere.command("run", LETTER)
    refused = elsewhere.command("execution", "retry", first.replace("-4", "-5"))

    assert started["executionId"] == told["executionId"] != first
    shown = elsewhere.json_of("execution", "show", started["executionId"])
    assert shown["retryOf"] == first
    assert (done.returncode, refused.returncode) == (0, 1)


def _hints(errors: str) -> list[str]:
    """Return the lines on how to go on, without those of nodes, which may come between."""
    return [line for line in errors.splitlines() if line.startswith("  ")]


@pytest.mark.parametrize("more", [(), ("--watch",)])
def test_an_interrupted_run_says_how_to_go_on(
    more: tuple[str, ...], stack: RunningStack, elsewhere: Elsewhere, server: Stub
) -> None:
    slug = save_call(stack, server.url, stack.key)
    server.held.clear()
    held = f"held-{len(more)}"
    process = subprocess.Popen(
        [*HEADRACE, "run", slug, "-i", f"id={held}", *more],
        cwd=HERE,
        env=environment(**elsewhere.environ),
        stderr=subprocess.PIPE,
        text=True,
    )
    (begun,) = until(lambda: elsewhere.json_of("execution", "list", "--workflow", slug))
    until(lambda: server.held.is_set())

    os.kill(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=90)
    execution_id = begun["executionId"]
    watching = subprocess.Popen(
        [*HEADRACE, "execution", "watch", execution_id],
        cwd=HERE,
        env=environment(**elsewhere.environ),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert watching.stderr is not None
    assert watching.stderr.readline() == "form: completed\n"
    os.kill(watching.pid, signal.SIGINT)
    _, reported = watching.communicate(timeout=90)
    cancelled = elsewhere.json_of("execution", "cancel", execution_id)
    ended = elsewhere.command("execution", "watch", execution_id)

    assert process.returncode == 130
    assert f"headrace: Interrupted; the execution {execution_id} goes on.\n" in errors
    assert (watching.returncode, _hints(reported)) == (130, _hints(errors))
    assert f"headrace execution watch {execution_id}\n" in errors
    assert f"headrace execution cancel {execution_id}\n" in errors
    assert cancelled == {"executionId": execution_id, "status": "cancel_requested"}
    assert (ended.returncode, ended.stdout) == (1, "")
    assert f"headrace: The execution {execution_id} was cancelled." in ended.stderr


# -- executions -----------------------------------------------------------------------------------


def test_executions_are_listed_and_shown(elsewhere: Elsewhere) -> None:
    first = elsewhere.json_of("run", LETTER)["executionId"]
    second = elsewhere.json_of("run", LETTER)["executionId"]

    newest = elsewhere.json_of("execution", "list", "--workflow", LETTER, "--limit", "2")
    table = elsewhere.command("execution", "list", "--status", "completed").stdout
    shown = elsewhere.json_of("execution", "show", first)
    page = elsewhere.command("execution", "show", first).stdout

    assert [row["executionId"] for row in newest] == [second, first]
    assert "nodes" not in newest[0]
    assert first in table and table.startswith("EXECUTION ID  ")
    assert [each["id"] for each in shown["nodes"]] == ["form", "letter", "result"]
    assert "letter  textBox" in page and "\nDear Ada,\n" in page
    assert "\ninputs\nname: Ada\n" in page
    assert f"\nrequest {shown['httpRequestId']}\n" in page


def test_runs_are_tagged_and_listed_by_their_tags(elsewhere: Elsewhere) -> None:
    mark, both = "cli, 4711", ("--tag", "cli, 4711", "--tag", "b")
    begun = [
        elsewhere.json_of("run", LETTER, "--tag", mark)["executionId"],
        elsewhere.json_of("run", LETTER, *both)["executionId"],
        json.loads(elsewhere.command("run", LETTER, *both, "--watch", "--json").stdout)[
            "executionId"
        ],
        elsewhere.json_of("run", LETTER, *both, "--async")["executionId"],
    ]

    def listed(*tags: str) -> list[str]:
        return [row["executionId"] for row in elsewhere.json_of("execution", "list", *tags)]

    assert listed("--tag", mark) == begun[::-1]
    assert listed(*both) == begun[:0:-1]


def test_a_node_is_shown_with_its_values_and_attempts(elsewhere: Elsewhere) -> None:
    execution_id = elsewhere.json_of("run", LETTER)["executionId"]
    show = ("execution", "show", execution_id, "--node")

    node = elsewhere.json_of(*show, "letter")
    page = elsewhere.command(*show, "letter").stdout
    refused = elsewhere.command(*show, "nobody")

    assert node["inputs"]["name"] == "Ada"
    assert node["outputs"]["text-out"].startswith("Dear Ada,\n")
    assert [each["number"] for each in node["attempts"]] == [1]
    assert page.startswith("NUMBER  STARTED AT  ")
    assert "\ninputs\nname: Ada\n" in page and "\noutputs\ntext-out: Dear Ada,\n" in page
    assert (refused.returncode, refused.stderr) == (1, "headrace: Node not found\n")


def test_an_execution_that_has_ended_is_watched_to_its_result(elsewhere: Elsewhere) -> None:
    execution_id = elsewhere.json_of("run", LETTER)["executionId"]

    done = elsewhere.command("execution", "watch", execution_id)
    refused = elsewhere.command("execution", "cancel", execution_id)

    assert done.returncode == 0
    assert done.stdout.startswith("Dear Ada,\n")
    assert done.stderr.splitlines() == ["form: completed", "letter: completed", "result: completed"]
    assert (refused.returncode, refused.stdout) == (1, "")


def test_the_executions_of_an_account_are_read_beside_its_stack(stack: RunningStack) -> None:
    account = make_account(stack)["id"]
    owner = json.loads((stack.data_dir / "demo.json").read_text())["accountId"]
    execution_id = json_of(stack, "run", LETTER)["executionId"]
    whose = ("--account", owner)

    by_key = json_of(stack, "execution", "show", execution_id)
    by_account = json_of(stack, "execution", "show", execution_id, *whose)
    node = json_of(stack, "execution", "show", execution_id, "--node", "letter", *whose)
    (newest,) = json_of(stack, "execution", "list", "--limit", "1", *whose)
    watched = stack.command("execution", "watch", execution_id, *whose)
    foreign = stack.command("execution", "show", execution_id, "--account", account)

    assert by_account == by_key
    assert newest == {name: value for name, value in by_key.items() if name in newest}
    assert node == json_of(stack, "execution", "show", execution_id, "--node", "letter")
    assert watched.stdout.startswith("Dear Ada,\n")
    assert (foreign.returncode, foreign.stderr) == (1, "headrace: Execution not found\n")
    assert json_of(stack, "execution", "list", "--account", account) == []


def test_commands_answer_without_a_gateway_as_with_one(
    elsewhere: Elsewhere, stack: RunningStack, tmp_path: Path
) -> None:
    execution_id = elsewhere.json_of("run", LETTER)["executionId"]
    file = tmp_path / "same.json"
    file.write_text(json.dumps({"name": "Nobody has this", "nodes": [], "edges": []}))
    redis_alone = {"HEADRACE_URL": "", "HEADRACE_REDIS_URL": stack.redis_url}
    for command in (
        ("execution", "list", "--limit", "3"),
        ("execution", "show", execution_id),
        ("execution", "show", execution_id, "--node", "letter"),
        ("execution", "show", "nobody"),
        ("execution", "watch", execution_id),
        ("execution", "cancel", execution_id),
        ("execution", "retry", execution_id),
        ("workflow", "list", "--key", stack.key),
        ("workflow", "get", LETTER),
        ("workflow", "get", "nobody"),
        ("workflow", "versions", LETTER),
        ("workflow", "diff", str(file)),
        ("workflow", "publish", LETTER, "--yes"),
        ("run", "nobody"),
        ("run", LETTER, "--key", "hr_live_nonsense"),
    ):
        over_http, by_redis = (elsewhere.command(*command, **more) for more in ({}, redis_alone))

        assert by_redis.stdout == over_http.stdout, command
        assert by_redis.stderr == over_http.stderr, command
        assert by_redis.returncode == over_http.returncode, command


# -- workflows ------------------------------------------------------------------------------------


def test_a_document_goes_to_a_server_and_comes_back(elsewhere: Elsewhere, tmp_path: Path) -> None:
    file = tmp_path / "there.json"
    file.write_text(json.dumps({"name": "There and back", "nodes": [], "edges": []}))

    pushed = elsewhere.json_of("workflow", "push", str(file))
    listed = elsewhere.json_of("workflow", "list")
    document = elsewhere.json_of("workflow", "get", pushed["slug"])
    file.write_text(json.dumps(document | {"name": "Renamed"}))
    renamed = elsewhere.json_of("workflow", "push", str(file))
    deleted = elsewhere.json_of("workflow", "delete", pushed["slug"])
    gone = elsewhere.command("workflow", "get", pushed["slug"])

    assert (pushed["slug"], pushed["version"]) == ("there-and-back", 1)
    assert pushed["slug"] in {row["slug"] for row in listed}
    assert (document["name"], document["nodes"]) == ("There and back", [])
    assert (renamed["slug"], renamed["name"], renamed["version"]) == (
        "there-and-back",
        "Renamed",
        2,
    )
    assert deleted == {"slug": "there-and-back", "deleted": True}
    assert (gone.returncode, gone.stderr) == (1, "headrace: Workflow not found\n")


@pytest.mark.parametrize("where", ["http", "store"])
def test_a_document_is_pushed_to_the_workflow_of_its_name(
    where: str, stack: RunningStack, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    name = f"Pushed twice by {where}"
    file = tmp_path / "twice.json"
    file.write_text(json.dumps({"name": name, "nodes": [], "edges": []}))
    account = make_account(stack)["id"]

    def push(*more: str) -> Any:
        if where == "http":
            return elsewhere.json_of("workflow", "push", str(file), *more)
        return json_of(stack, "workflow", "push", str(file), "--account", account, *more)

    first, second, third = push(), push(), push("--new")
    file.write_text(json.dumps({"name": name, "slug": third["slug"], "nodes": [], "edges": []}))
    fourth = push()

    slug = f"pushed-twice-by-{where}"
    assert [(each["slug"], each["version"]) for each in (first, second, third, fourth)] == [
        (slug, 1),
        (slug, 2),
        (f"{slug}-2", 1),
        (f"{slug}-2", 2),
    ]


def test_a_name_that_several_workflows_have_is_no_answer(
    elsewhere: Elsewhere, tmp_path: Path
) -> None:
    file = tmp_path / "twin.json"
    file.write_text(json.dumps({"name": "Twin", "nodes": [], "edges": []}))
    for _ in range(2):
        elsewhere.json_of("workflow", "push", str(file), "--new")

    done = elsewhere.command("workflow", "push", str(file))

    assert (done.returncode, done.stdout) == (1, "")
    assert "Several workflows are called 'Twin' (" in done.stderr
    assert "--new" in done.stderr


def test_a_workflow_is_got_and_deleted_beside_its_stack(
    stack: RunningStack, tmp_path: Path
) -> None:
    account, other = make_account(stack)["id"], make_account(stack)["id"]
    file = tmp_path / "mine.json"
    file.write_text(json.dumps({"name": "Mine alone", "nodes": [], "edges": []}))
    slug = json_of(stack, "workflow", "push", str(file), "--account", account)["slug"]

    document = json_of(stack, "workflow", "get", slug, "--account", account)
    foreign = stack.command("workflow", "delete", slug, "--account", other)
    deleted = json_of(stack, "workflow", "delete", slug, "--account", account)

    assert (document["slug"], document["name"]) == (slug, "Mine alone")
    assert (foreign.returncode, foreign.stderr) == (1, "headrace: Workflow not found\n")
    assert deleted["deleted"]
    assert json_of(stack, "workflow", "list", "--account", account) == []
