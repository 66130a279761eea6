"""`headrace trigger`: schedules and inbound webhooks, on a server and in process."""

import json
import subprocess
from pathlib import Path

import httpx2
import pytest

from tests.support.acceptance.commands import json_of
from tests.support.acceptance.running_stack import HEADRACE, RunningStack, environment

LETTER = "greeting-letter"
YEARLY = ("--cron", "0 0 1 1 *")
"""Due times that no test lives to see."""
SECRET = "a secret of the shop"


@pytest.fixture(params=["server", "in process"])
def way(request: pytest.FixtureRequest, stack: RunningStack) -> tuple[str, ...]:
    """Options with which a command calls a gateway, or answers itself."""
    account = json.loads((stack.data_dir / "demo.json").read_text())["accountId"]
    return () if request.param == "server" else ("--account", account)


@pytest.fixture(autouse=True)
def secret(stack: RunningStack) -> None:
    """Set SHOP_SECRET of the demo's account."""
    subprocess.run(
        [*HEADRACE, "secret", "set", "SHOP_SECRET", "--data-dir", str(stack.data_dir)],
        input=SECRET,
        env=environment(),
        check=True,
        capture_output=True,
        text=True,
    )


def text_of(stack: RunningStack, execution_id: str) -> str:
    """Return the text that an execution results in, once it has ended."""
    text: str = stack.ended(execution_id)["result"]["text"]
    return text


def test_a_schedule_is_made_run_paused_resumed_and_deleted(
    stack: RunningStack, way: tuple[str, ...]
) -> None:
    made = json_of(
        *(stack, "trigger", "create", LETTER, *YEARLY, "--timezone", "Asia/Tokyo"),
        *("--name", "Yearly letter", "-i", "name=Ada", "--missed", "skip", *way),
    )
    begun = json_of(stack, "trigger", "run", made["id"], *way)
    occurrences = json_of(stack, "trigger", "occurrences", made["id"], *way)
    listed = stack.command("trigger", "list", *way).stdout
    runs = json_of(stack, "execution", "list", "--trigger", made["id"], *way)
    run = stack.command("execution", "show", begun["executionId"], *way).stdout
    paused = json_of(stack, "trigger", "pause", made["id"], *way)
    resumed = json_of(stack, "trigger", "resume", made["id"], *way)
    deleted = stack.command("trigger", "delete", made["id"], *way)

    assert (made["kind"], made["timezone"], made["missed"]) == ("schedule", "Asia/Tokyo", "skip")
    assert made["nextAt"].endswith("12-31T15:00:00.000Z")
    assert text_of(stack, begun["executionId"]).startswith("Dear Ada,")
    assert [(row["status"], row["executionId"]) for row in occurrences] == [
        ("started", begun["executionId"])
    ]
    assert [each["executionId"] for each in runs] == [begun["executionId"]]
    assert f"started by the trigger {made['id']}\n" in run
    [row] = [line for line in listed.splitlines() if made["id"] in line]
    assert "Yearly letter" in row and "0 0 1 1 * Asia/Tokyo" in row and "started" in row
    assert (paused["enabled"], paused["nextAt"]) == (False, None)
    assert (resumed["enabled"], resumed["nextAt"]) == (True, made["nextAt"])
    assert (deleted.returncode, deleted.stdout, deleted.stderr) == (0, "", "")
    assert made["id"] not in stack.command("trigger", "list", *way).stdout


def test_an_inbound_webhook_shows_its_address_takes_an_event_and_is_tried(
    stack: RunningStack, way: tuple[str, ...], tmp_path: Path
) -> None:
    shown = stack.command(
        *("trigger", "create", LETTER, "--verify", "bearer", "--secret", "SHOP_SECRET"),
        *("--when", "body.kind == 'new'", "-i", "name=body.customer.name", *way),
    )
    assert shown.returncode == 0, shown.stderr
    trigger_id = shown.stdout.splitlines()[1].split()[0]
    path = shown.stdout.splitlines()[-1].partition("/hooks/")[2]
    event = {"kind": "new", "customer": {"name": "Eve"}}
    bearer = {"authorization": f"Bearer {SECRET}"}

    taken = httpx2.post(f"{stack.url}/hooks/{path}", json=event, headers=bearer, timeout=30)
    (tmp_path / "event.json").write_text(json.dumps(event))
    tried = json_of(stack, "trigger", "test", trigger_id, str(tmp_path / "event.json"), *way)
    (tmp_path / "event.json").write_text('{"kind": "old"}')
    other = stack.command("trigger", "test", trigger_id, str(tmp_path / "event.json"), *way)
    rotated = json_of(stack, "trigger", "rotate", trigger_id, *way)
    gone = httpx2.post(f"{stack.url}/hooks/{path}", json=event, headers=bearer, timeout=30)
    one = json_of(stack, "trigger", "show", trigger_id, *way)

    assert taken.status_code == 202, taken.text
    assert text_of(stack, taken.json()["executionId"]).startswith("Dear Eve,")
    assert (tried["wouldRun"], tried["inputs"]) == (True, {"name": "Eve"})
    assert other.returncode == 1
    assert other.stdout.splitlines()[1].endswith(
        'inputs.name: The expression failed: Key not found in map : "customer"'
    )
    assert gone.status_code == 404
    assert one["url"] == rotated["url"] and path not in one["url"]
    assert SECRET not in shown.stdout + json.dumps(one)


def test_occurrences_are_filtered_by_status(stack: RunningStack, way: tuple[str, ...]) -> None:
    made = json_of(stack, "trigger", "create", LETTER, *YEARLY, "-i", "name=Ada", *way)
    json_of(stack, "trigger", "run", made["id"], *way)
    json_of(stack, "trigger", "run", made["id"], *way)

    def statuses(*options: str) -> list[str]:
        rows = json_of(stack, "trigger", "occurrences", made["id"], *options, *way)
        return [row["status"] for row in rows]

    assert statuses() == ["started", "started"]
    assert statuses("--limit", "1") == ["started"]
    assert statuses("--status", "failed") == []


def test_a_preview_shows_due_times_in_the_zone(stack: RunningStack, way: tuple[str, ...]) -> None:
    options = ("--timezone", "Asia/Kolkata", "--count", "2", *way)

    times = json_of(stack, "trigger", "preview", "30 7 * * 1", *options)["at"]
    shown = stack.command("trigger", "preview", "30 7 * * 1", *options).stdout.splitlines()

    assert [time[-14:] for time in times] == ["T02:00:00.000Z"] * 2
    assert [line.split()[1] for line in shown[1:]] == ["Mon", "Mon"]
    assert all(line.endswith("07:30 +0530") for line in shown[1:])


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("create", LETTER), 2, "Name one of --cron"),
        (("create", LETTER, "--cron", "* * * * * *"), 1, "five fields"),
        (("create", LETTER, "--cron", "@daily", "--timezone", "Mars/Base"), 1, "time zone"),
        (("create", LETTER, "--cron", "@daily", "-i", "occasion=none"), 1, "occasion"),
        (("create", LETTER, "--verify", "github", "--secret", "NOT_THERE"), 1, "NOT_THERE"),
        (("create", LETTER, "--verify", "none", "--when", "body."), 1, "Syntax error"),
        (("create", "no-such", "--cron", "@daily"), 1, "orkflow"),
        (("show", "trg_000000000000"), 1, "Trigger not found"),
        (("preview", "61 * * * *"), 1, "minute"),
    ],
)
def test_a_fault_is_a_sentence(
    stack: RunningStack, arguments: tuple[str, ...], code: int, told: str
) -> None:
    done = stack.command("trigger", *arguments)

    assert (done.returncode, done.stdout) == (code, "")
    assert told in done.stderr
    assert "Traceback" not in done.stderr
