"""`headrace batch`: batches of the rows of a file, on a server and in process."""

import csv
import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.acceptance.commands import json_of
from tests.support.acceptance.documents import save
from tests.support.acceptance.running_stack import HEADRACE, RunningStack, environment, until
from tests.support.contract.installation import NEVER
from tests.support.gateway.documents import edge, node
from tests.support.media.files import png

LETTER = "greeting-letter"
HERE = Path(__file__).parents[3]


@pytest.fixture(params=["server", "in process"])
def way(request: pytest.FixtureRequest, stack: RunningStack) -> tuple[str, ...]:
    """Options with which a command calls a gateway, or answers itself."""
    account = json.loads((stack.data_dir / "demo.json").read_text())["accountId"]
    return () if request.param == "server" else ("--account", account)


def field(name: str, kind: str) -> dict[str, Any]:
    return {"name": name, "label": name, "type": kind}


@pytest.fixture
def adder(stack: RunningStack) -> str:
    """A workflow that adds one to a number, and fails for a negative one."""
    nodes = [
        node("in", "requestInput", fields=[field("n", "number"), field("word", "text")]),
        node("sum", "transform", expression="value.n < 0.0 ? value.none : value.n + 1.0"),
        node("out", "responseOutput"),
    ]
    edges = [edge("in", "params", "sum", "value-in"), edge("sum", "value-out", "out", "result-in")]
    return save(stack, stack.key, "Adder", nodes, edges)


@pytest.fixture
def endless(stack: RunningStack) -> str:
    """A workflow that does not end by itself soon."""
    nodes = [node("call", "httpRequest", **NEVER), node("out", "responseOutput")]
    edges = [edge("call", "response-out", "out", "result-in")]
    return save(stack, stack.key, "Endless", nodes, edges)


def file_of(folder: Path, text: str, name: str = "items.csv") -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


def test_a_batch_of_a_table_is_watched_and_its_results_are_written(
    stack: RunningStack, way: tuple[str, ...], adder: str, tmp_path: Path
) -> None:
    items, out = file_of(tmp_path, "n,word\n1,a\n2.5,b\n,\n-1,c\n"), tmp_path / "out.csv"

    done = stack.command("batch", "run", adder, items, "--watch", "--output", str(out), *way)

    assert done.returncode == 1
    batch_id = done.stdout.split()[0]
    assert done.stdout == f"{batch_id}  completed: 2 completed, 1 failed\n"
    assert done.stderr.splitlines()[-1] == (
        f"headrace: Not every item of the batch {batch_id} completed: 2 completed, 1 failed."
    )
    with out.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [(row["index"], row["status"], row["result"]) for row in rows] == [
        ("0", "completed", "2"),
        ("1", "completed", "3.5"),
        ("2", "failed", ""),
    ]
    assert rows[2]["errorCode"] == "EXECUTION_FAILED"


def test_a_batch_goes_on_by_itself_and_can_be_shown_listed_and_retried(
    stack: RunningStack, way: tuple[str, ...], adder: str, tmp_path: Path
) -> None:
    lines = '{"n": 1}\n{"inputs": {"n": -1}, "tags": ["odd"]}\n'
    items = file_of(tmp_path, lines, "items.jsonl")

    done = stack.command("batch", "run", adder, items, "--tag", "t1", "--concurrency", "1", *way)
    batch_id = done.stdout.strip()
    shown = until(
        lambda: json_of(stack, "batch", "show", batch_id, *way),
        lambda found: found["status"] == "completed",
    )
    out = tmp_path / "out.jsonl"
    written = stack.command("batch", "show", batch_id, "--output", str(out), *way)
    retried = json_of(stack, "batch", "retry", batch_id, *way)
    listed = json_of(stack, "batch", "list", "--limit", "2", *way)

    assert (done.returncode, done.stderr, written.returncode) == (0, "", 0)
    assert (shown["tags"], shown["counts"]["failed"]) == (["t1"], 1)
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["result"] for row in rows] == [2.0, None]
    assert rows[1]["error"]["code"] == "EXECUTION_FAILED"
    assert retried["items"] == 1
    assert [row["batchId"] for row in listed] == [retried["batchId"], batch_id]
    assert "1 completed, 1 failed" in stack.command("batch", "list", *way).stdout


def test_a_batch_whose_items_all_complete_exits_with_0(
    stack: RunningStack, way: tuple[str, ...], tmp_path: Path
) -> None:
    items = file_of(tmp_path, "name\nAda\nEve\n")

    ended = json_of(
        *(stack, "batch", "run", LETTER, items, "--output", str(tmp_path / "o.jsonl")), *way
    )

    assert (ended["status"], ended["counts"]["completed"]) == ("completed", 2)


def test_a_batch_is_cancelled(
    stack: RunningStack, way: tuple[str, ...], endless: str, tmp_path: Path
) -> None:
    items = file_of(tmp_path, "{}\n" * 3, "items.jsonl")
    batch_id = stack.command("batch", "run", endless, items, *way).stdout.strip()

    asked = stack.command("batch", "cancel", batch_id, *way)
    watched = stack.command("batch", "show", batch_id, "--watch", *way)

    assert asked.returncode == 0
    assert watched.returncode == 1
    assert watched.stdout == f"{batch_id}  cancelled: 3 cancelled\n"


def test_faults_of_the_file_and_of_the_server_are_named_by_row(
    stack: RunningStack, way: tuple[str, ...], tmp_path: Path
) -> None:
    wrong = file_of(tmp_path, "name,age\nAda,1\n")
    long = file_of(tmp_path, f"name\nAda\n\n{'x' * 5_000}\n", "long.csv")

    told = stack.command("batch", "run", LETTER, wrong, *way)
    refused = stack.command("batch", "run", LETTER, long, *way)

    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr.startswith(f"headrace: {wrong}, row 1, column 'age': is no field of the")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == (
        f"headrace: {long}, row 4, column 'name': must have at most 80 characters\n"
    )


@pytest.mark.parametrize(
    ("kind", "name", "data"), [("image", "cat.png", png()), ("file", "notes.md", b"# Kettles\n")]
)
def test_files_of_cells_are_uploaded_once(
    stack: RunningStack, way: tuple[str, ...], tmp_path: Path, kind: str, name: str, data: bytes
) -> None:
    nodes = [
        node("in", "requestInput", fields=[field("given", kind)]),
        node("out", "responseOutput"),
    ]
    slug = save(stack, stack.key, "Given", nodes, [edge("in", "given", "out", "result-in")])
    (tmp_path / name).write_bytes(data)
    items = file_of(tmp_path, f"given\n@{name}\n@{name}\n")
    out = tmp_path / "out.jsonl"

    done = stack.command("batch", "run", slug, items, "--output", str(out), *way)

    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    links = {json.dumps(row["result"]).split("?")[0] for row in rows}
    assert len(rows) == 2
    assert len(links) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("run", LETTER, "none.csv"), 2, "does not exist"),
        (("run", LETTER, "items.csv", "--output", "out.xlsx"), 1, "'.csv' or '.jsonl'"),
        (("run", "no-such", "items.csv"), 1, "Workflow not found"),
        (("show", "no-such"), 1, "Batch not found"),
        (("cancel", "00000000-0000-4000-8000-000000000000"), 1, "Batch not found"),
        (("retry", "no-such"), 1, "Batch not found"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_sentence(
    stack: RunningStack, tmp_path: Path, arguments: tuple[str, ...], code: int, told: str
) -> None:
    file_of(tmp_path, "name\nAda\n")
    words = [str(tmp_path / each) if "." in each else each for each in arguments]

    done = stack.command("batch", *words)

    assert (done.returncode, done.stdout) == (code, "")
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_an_interrupted_wait_leaves_the_batch(
    stack: RunningStack, endless: str, tmp_path: Path
) -> None:
    items = file_of(tmp_path, "{}\n", "items.jsonl")
    words = ("batch", "run", endless, items, "--watch", "--data-dir", str(stack.data_dir))
    process = subprocess.Popen(
        [*HEADRACE, *words],
        cwd=HERE,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    process.stderr.readline()
    os.kill(process.pid, signal.SIGINT)
    rest = process.communicate(timeout=30)[1]

    assert process.returncode == 130
    assert "goes on." in rest
    batch_id = rest.split("the batch ")[1].split()[0]
    assert f"batch show {batch_id} --watch" in rest
    assert json_of(stack, "batch", "show", batch_id)["status"] == "processing"
    stack.command("batch", "cancel", batch_id)
