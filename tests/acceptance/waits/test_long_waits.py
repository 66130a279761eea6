"""Waits of 30 days on a stack whose clock jumps: nothing that they need is forgotten meanwhile."""

import contextlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest

from tests.support.acceptance.running_stack import (
    BARE,
    HEADRACE,
    READY,
    RunningStack,
    environment,
    started,
    until,
)
from tests.support.contract.installation import TERMINAL
from tests.support.factories import Graph
from tests.support.http.echo_server import EchoServer, echo_server
from tests.support.manifests import manifest
from tests.support.media.files import png
from tests.support.redis.clients import open_redis
from tests.support.redis.stepped_clock import SteppedClock

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
DAY = 86_400
LONGEST = 30 * DAY
LONG_TEXT = "x" * 300_000
"""A text that is an object beside the record."""
SETTINGS = {
    "HEADRACE_ALLOW_PRIVATE_URLS": "1",
    "HEADRACE_HOT_MINUTES": "0.1",
    "HEADRACE_RETENTION_DAYS": "1",
}
"""What has ended is forgotten as soon as possible."""
VERSIONS = 55
"""Later versions of a document; the last 50 and those in use are kept."""
RIGHTS = ("workflow:*", "execution:*", "execution:approve", "webhook:receive")
FIELDS = [
    {"name": "who", "label": "Who", "type": "text"},
    {"name": "photo", "label": "Photo", "type": "image"},
    {"name": "long", "label": "Long", "type": "text"},
]
PICTURE = png()
PRICE = 12
"""Credits of a call: 0.010 USD, and the markup of the tier."""
ANSWER = {"decision": "approve", "fields.reason": "It fits."}


class LongLife:
    """A stack whose clock jumps, and which is killed and started again; its account has a key."""

    def __init__(self, folder: Path) -> None:
        models = folder / "models"
        models.mkdir()
        (models / "paid.toml").write_text(manifest("paid"))
        self.clock = SteppedClock(folder)
        self.environ = {**SETTINGS, "HEADRACE_MODELS_DIR": str(models), **self.clock.environ}
        # From the middle of a month, so that the next one begins meanwhile.
        today = datetime.now(UTC)
        middle = (today.replace(day=15) + timedelta(days=31)).replace(day=15)
        self._begin = (middle - today).total_seconds()
        self.go_to(0)
        self._stacks = contextlib.ExitStack()
        self.start(folder)
        email = ("--email", "ada@example.org", "--tier", "business")
        self.account = str(self.command("account", "create", *email)["id"])
        given = [word for each in RIGHTS for word in ("--capability", each)]
        self.key = str(self.command("key", "create", "--account", self.account, *given)["key"])

    def go_to(self, seconds: float) -> None:
        """Set the clock to so long after the begin."""
        self.clock.step(self._begin + seconds)

    def start(self, folder: Path) -> None:
        """Start a stack with the data of a folder; the one before is killed."""
        self._stacks.close()
        self.stack: RunningStack = self._stacks.enter_context(
            started(folder, *BARE, **self.environ)
        )
        self.stack.line(READY)

    def end(self) -> None:
        """Kill the stack."""
        self._stacks.close()

    def command(self, *words: str) -> Any:
        """Run a command with the clock of the stack; return what it prints."""
        place = () if "--data-dir" in words else ("--data-dir", str(self.stack.data_dir))
        done = subprocess.run(
            [*HEADRACE, *words, *place, "--json"],
            env=environment(**self.environ),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr or done.stdout
        return json.loads(done.stdout)

    def api(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """Call the API; return the body of a success."""
        headers = {"x-api-key": self.key, **options.pop("headers", {})}
        url = self.stack.url + path
        answer = httpx2.request(method, url, json=body, headers=headers, timeout=30, **options)
        assert answer.is_success, (method, path, answer.status_code, answer.text)
        return answer.json()

    def begin(self, slug: str, inputs: Any, *, webhook: str = "", once: str = "") -> str:
        """Begin a run, with an idempotency key and a webhook if they are given; return its id."""
        body = {"inputs": inputs}
        if webhook:
            body["webhook"] = {"url": webhook, "secret": "s" * 32}
        headers = {"idempotency-key": once} if once else {}
        path = f"/api/workflows/{slug}/run?async=true"
        return str(self.api("POST", path, body, headers=headers)["executionId"])

    def begin_batch(self, slug: str, inputs: Any) -> tuple[str, str]:
        """Begin a batch of one run; return the path of the batch, and the id of the run."""
        body = {"items": [{"inputs": inputs}]}
        path = f"/api/batches/{self.api('POST', f'/api/workflows/{slug}/batch', body)['batchId']}"

        def run() -> str:
            [row] = self.api("GET", f"{path}/items")["rows"]
            return str(row["executionId"] or "")

        return path, until(run)

    def waiting(self, execution_id: str) -> Any:
        """Return the only entry of `waitingFor` of a run, once it waits."""
        path = f"/api/executions/{execution_id}"
        [entry] = until(lambda: self.api("GET", path)["waitingFor"])
        return entry

    def look(self, url: str) -> httpx2.Response:
        """Open a link that a stack has made, which may have had another port."""
        path = httpx2.URL(url).raw_path.decode()
        return httpx2.get(self.stack.url + path, timeout=30)

    def answer(self, url: str) -> int:
        """Answer an approval by its link; return the status."""
        link = self.stack.url + httpx2.URL(url).path
        return httpx2.post(link, data=ANSWER, timeout=30).status_code

    def ended(self, execution_id: str) -> Any:
        """Return a run once it has ended."""
        path = f"/api/executions/{execution_id}"
        return until(
            lambda: self.api("GET", path), lambda found: found["status"] in TERMINAL, timeout=30
        )


@pytest.fixture
def told() -> Iterator[EchoServer]:
    """A server that is told of ends."""
    with echo_server() as server:
        yield server


@pytest.fixture
def life(tmp_path: Path) -> Iterator[LongLife]:
    life = LongLife(tmp_path)
    yield life
    life.end()


def asking(**data: Any) -> dict[str, Any]:
    """Return a workflow with a charged call before the approval and one after it."""
    reason = {"name": "reason", "label": "Reason", "type": "text", "required": True}
    settings = {"title": "Go on, {{ who }}?", "fields": [reason], "timeoutSeconds": LONGEST}
    graph = Graph().node("in", "requestInput", fields=FIELDS)
    graph.node("first", "customModel", model="paid")
    graph.node("ask", "approval", **{**settings, **data})
    graph.node("second", "customModel", model="paid")
    seen = {"x-seen": "{{ text }}"}
    graph.node("copy", "httpRequest", url="{{ photo }}", headers=seen, saveAs="asset")
    names = ("text", "photo", "copy", "long", "refused", "answer")
    graph.node("out", "responseOutput", fields=[{"name": name} for name in names])
    return graph.wire(
        *("in.who > first.prompt-in", "first.text-out > ask.value-in", "in.who > ask.who"),
        *("ask.approved-out > second.prompt-in", "second.text-out > out.text"),
        *("in.photo > copy.photo", "second.text-out > copy.text", "copy.response-out > out.copy"),
        *("in.photo > out.photo", "in.long > out.long", "ask.answer-out > out.answer"),
        "ask.refused-out > out.refused",
    ).body()


def calling(slug: str) -> dict[str, Any]:
    """Return a workflow that calls another one."""
    graph = (
        Graph().node("in", "requestInput", fields=FIELDS).node("sub", "subWorkflow", workflow=slug)
    )
    graph.node("out", "responseOutput")
    return graph.wire(
        *("in.who > sub.who", "in.photo > sub.photo", "in.long > sub.long"),
        "sub.text > out.result-in",
    ).body()


def delaying() -> dict[str, Any]:
    """Return a workflow that waits as long as one can."""
    graph = Graph("who").node("later", "delay", seconds=LONGEST).node("out", "responseOutput")
    return graph.wire("in.who > later.value-in", "later.value-out > out.result-in").body()


class Begun(NamedTuple):
    """Runs that wait, by what becomes of them."""

    run: str
    """Asked with an idempotency key."""
    of_deleted: str
    """Its workflow is deleted meanwhile."""
    parent: str
    """Its child asks."""
    item: str
    """The only one of a batch."""
    refused: str
    """Nobody answers."""
    delayed: str


def check_result(life: LongLife, execution_id: str, photo: str) -> None:
    """Check that a run has ended with everything that it was given 30 days before."""
    result = life.ended(execution_id)["result"]
    assert (result["text"], result["long"]) == ("<<Ada>>", LONG_TEXT)
    answer = result["answer"]
    assert (answer["by"]["kind"], answer["fields"]) == ("link", {"reason": "It fits."})
    fresh = life.api("GET", f"/api/assets/{photo}")["url"]
    for url in (result["photo"], result["copy"], fresh):
        shown = life.look(url)
        assert (shown.status_code, shown.content) == (200, PICTURE)


def waits_in_redis(life: LongLife) -> list[str]:
    """Return the keys of waits that Redis has."""
    with contextlib.closing(open_redis(life.stack.redis_url)) as redis:
        keys = [key.decode() for key in redis.keys("*")]
    parts = (":waits", ":approvals", ":only_waiting", "child_waits")
    return [key for key in keys if any(part in key for part in parts)]


@pytest.mark.F57
def test_what_waits_for_30_days_goes_on_and_lacks_nothing(
    life: LongLife, told: EchoServer, tmp_path: Path
) -> None:
    photo = life.api("POST", "/api/assets", content=PICTURE, headers={"content-type": "image/png"})
    inputs = {"who": "Ada", "photo": photo["id"], "long": LONG_TEXT}
    documents = {
        "asks": asking(),
        "deleted": asking(),
        "refuses": asking(onTimeout="refuse"),
        "parent": calling("asks"),
        "delays": delaying(),
    }
    for name, document in documents.items():
        assert life.api("POST", "/api/workflows", document | {"name": name})["slug"] == name
    webhook = {"webhook": f"{told.url}/text", "once": "a-key"}
    batch, item = life.begin_batch("asks", inputs)
    begun = Begun(
        run=life.begin("asks", inputs, **webhook),
        of_deleted=life.begin("deleted", inputs),
        parent=life.begin("parent", inputs),
        item=item,
        refused=life.begin("refuses", inputs),
        delayed=life.begin("delays", {"who": "Bob"}),
    )
    asked = begun[:4]
    links = [life.waiting(each)["url"] for each in asked]
    kinds = [life.waiting(each)["kind"] for each in begun]
    assert kinds == ["approval"] * 5 + ["delay"]

    life.go_to(2 * DAY)
    assert life.begin("asks", inputs, **webhook) == begun.run, "its key is kept while it waits"
    for number in range(VERSIONS):
        life.api("PUT", "/api/workflows/asks", asking(title=f"{number}, {{{{ who }}}}"))
    life.api("DELETE", "/api/workflows/deleted")

    life.go_to(16 * DAY)
    life.start(tmp_path)
    assert life.waiting(begun.run)["title"] == "Go on, Ada?"

    life.go_to(29.9 * DAY)
    cancelled = life.begin("delays", {"who": "Eve"})
    life.api("POST", f"/api/executions/{cancelled}/cancel")
    until(lambda: life.command("history", "status")["executions"] >= 1)  # the archiver has been
    assert life.begin("asks", inputs, **webhook) == begun.run
    for link in links:
        assert "Go on, Ada?" in life.look(link).text
    backup = tmp_path / "backup.zip"
    life.command("backup", str(backup))
    assert [life.answer(link) for link in links] == [200] * 4
    check_result(life, begun.run, photo["id"])
    check_result(life, begun.of_deleted, photo["id"])
    assert life.ended(begun.parent)["result"] == "<<Ada>>"
    assert life.ended(begun.item)["result"]["text"] == "<<Ada>>"
    assert until(lambda: life.api("GET", batch)["completedAt"])
    until(lambda: [path for path, _ in told.received] == ["/text"])
    assert life.begin("asks", inputs, **webhook) == begun.run, "for a day after its end"

    life.go_to(30 * DAY + 60)
    assert life.ended(begun.delayed)["result"] == "Bob"
    refused = life.ended(begun.refused)["result"]
    assert (refused["answer"]["by"]["kind"], refused["refused"]) == ("timeout", "<Ada>")
    [account] = life.command("ledger", "check")
    assert account["faults"] == []
    entries = life.api("GET", "/api/ledger?limit=200")["rows"]
    [allowance] = [each["credits"] for each in entries if each["kind"] == "allowance"]
    assert account["balance"] == allowance - 4 * PRICE, "the calls before are of the month before"
    assert waits_in_redis(life) == []
    until(lambda: {life.look(each).status_code for each in links} == {404}, timeout=60)

    life.go_to(31.5 * DAY)
    assert life.begin("delays", {"who": "Fay"}, once="a-key") != begun.run, "it is forgotten"

    second = tmp_path / "second"
    (second / "data").mkdir(parents=True)
    shutil.copy(tmp_path / "data" / "secret.key", second / "data")
    shutil.copytree(tmp_path / "data" / "media", second / "data" / "media")
    life.command("restore", str(backup), "--data-dir", str(second / "data"))
    life.go_to(29.95 * DAY)
    life.start(second)
    assert life.waiting(begun.delayed)["kind"] == "delay"
    assert [life.answer(link) for link in links] == [200] * 4
    check_result(life, begun.run, photo["id"])
    assert life.ended(begun.parent)["result"] == "<<Ada>>"
    life.go_to(30 * DAY + 60)
    assert life.ended(begun.delayed)["result"] == "Bob"
