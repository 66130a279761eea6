"""Parts of the form of inbound webhooks alone: paths of a sample, guesses, and signed requests."""

import base64
import hashlib
import hmac
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from standardwebhooks import Webhook

from gateway.ui import build_pages
from tests.support.e2e.bundles import open_functions
from tests.support.e2e.receiver import Received, receiving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow
PARTS = build_pages.SOURCES / "src" / "triggers" / "hook"
SECRET = "it's a $ecret `of` ours"
STANDARD = "whsec_" + base64.b64encode(b"\x00\xff" * 16).decode()
BODY = {"text": 'it\'s `$HOME` "quoted" \\n', "id": "evt_1", "event_id": "Ev1", "ä": "€"}
SAMPLE = {
    "body": {
        "action": "opened",
        "issue": {"title": "T", "labels": [{"name": "bug"}], "x-y": 1, "in": True},
        "title": 7,
        "banana": 1,
        "empty": [],
        "nothing": None,
    },
    "headers": {"x-github-event": "issues"},
    "query": {},
    "method": "POST",
}
Open = Callable[[str], "Page"]


@pytest.fixture
def functions(chromium: "Browser", tmp_path: Path) -> Iterator[Open]:
    """Open an empty page that has what a module exports under the name `part`."""
    pages: list[Page] = []

    def open_page(module: str) -> "Page":
        pages.append(open_functions(chromium, PARTS / module, "part", tmp_path))
        return pages[-1]

    yield open_page
    for page in pages:
        page.close()


def test_the_paths_of_a_sample_are_expressions_of_its_values(functions: Open) -> None:
    page = functions("sample.ts")

    paths = page.evaluate("sample => part.pathsOf(sample)", SAMPLE)

    values = {each["text"]: each["value"] for each in paths}
    assert [each["text"] for each in paths[:4]] == ["body", "headers", "query", "method"]
    assert values["body.issue.title"] == "T"
    assert values["body.issue.labels[0].name"] == "bug"
    assert values['body.issue["x-y"]'] == 1
    assert values['body.issue["in"]'] is True
    assert values['headers["x-github-event"]'] == "issues"
    assert "body.empty[0]" not in values


@pytest.mark.parametrize(
    ("text", "sought"),
    [
        ("bo", "bo"),
        ("body.issue.", "body.issue."),
        ("body.a == body.iss", "body.iss"),
        ('headers["x-git', 'headers["x-git'),
        ("body.labels[0].na", "body.labels[0].na"),
        ("(tit", "tit"),
        ('body.action == "open', None),
        ("body.action == 'body", None),
        ("body.action ", None),
        ("1.", None),
    ],
)
def test_the_path_at_the_caret_is_completed(functions: Open, text: str, sought: str | None) -> None:
    found = functions("sample.ts").evaluate("text => part.openPathAt(text, text.length)", text)

    assert found == (sought and {"from": len(text) - len(sought), "sought": sought})


def test_paths_that_begin_with_what_is_typed_come_before_others(functions: Open) -> None:
    page = functions("sample.ts")
    fitting = "([sample, sought]) => part.fitting(part.pathsOf(sample), sought).map(e => e.text)"

    assert page.evaluate(fitting, [SAMPLE, "body.issue.t"])[0] == "body.issue.title"
    assert page.evaluate(fitting, [SAMPLE, "tit"]) == ["body.title", "body.issue.title"]
    inside = page.evaluate(fitting, [SAMPLE, "na"])
    assert inside == ["body.issue.labels[0].name", "body.banana"]
    assert page.evaluate(fitting, [SAMPLE, "body.title"]) == []


def test_inputs_are_guessed_by_name_and_type(functions: Open) -> None:
    fields = [
        {"name": "title", "type": "text"},
        {"name": "Action", "type": "pills"},
        {"name": "labels", "type": "json"},
        {"name": "name", "type": "text"},
        {"name": "nothing", "type": "number"},
    ]

    guessed = functions("sample.ts").evaluate(
        "([fields, sample]) => part.guessInputs(fields, sample)", [fields, SAMPLE]
    )

    assert guessed == {
        "title": "body.issue.title",
        "Action": "body.action",
        "labels": "body.issue.labels",
    }


def test_ready_settings_name_events_that_their_samples_are(functions: Open) -> None:
    services = functions("services.ts").evaluate("() => part.SERVICES")

    assert [each["kind"] for each in services[:3]] == ["github", "stripe", "slack"]
    for service in services:
        assert service["events"][-1]["when"] == ""
        for event in service["events"]:
            assert set(event["sample"]) == {"body", "headers", "query", "method"}


def sent(page: "Page", verify: dict[str, Any], secret: str, body: object) -> Received:
    """Send the shown request from a shell; return what arrived."""
    sample = {"body": body, "headers": {"x-kind": "o'clock"}, "query": {}, "method": "POST"}
    with receiving() as received:
        code = page.evaluate(
            "([url, verify, sample]) => part.curlOf(url, verify, sample)",
            [received.url, verify, sample],
        )
        environ = {**os.environ, "OUR_SECRET": secret}
        subprocess.run(["bash", "-euc", code], env=environ, check=True, timeout=20)
    return received


def digest(secret: str, content: bytes) -> str:
    return hmac.digest(secret.encode(), content, hashlib.sha256).hex()


def signed(received: Received, kind: str, secret: str) -> bool:
    """Tell if a request carries the signature that its kind documents."""
    (body,), (headers,) = received.bodies, received.headers
    match kind:
        case "github":
            return headers["x-hub-signature-256"] == f"sha256={digest(secret, body)}"
        case "stripe":
            at, _, signature = headers["stripe-signature"].partition(",")
            content = at.removeprefix("t=").encode() + b"." + body
            is_now = abs(int(at.removeprefix("t=")) - time.time()) < 60
            return is_now and signature == f"v1={digest(secret, content)}"
        case "slack":
            content = b"v0:" + headers["x-slack-request-timestamp"].encode() + b":" + body
            return headers["x-slack-signature"] == f"v0={digest(secret, content)}"
        case "standard-webhooks":
            return Webhook(secret).verify(body, headers) is not None
        case "hmac":
            raw = hmac.digest(secret.encode(), body, hashlib.sha256)
            return headers["x-mine"] == f"v={base64.b64encode(raw).decode()}"
        case "bearer":
            return headers["authorization"] == f"Bearer {secret}"
    return kind == "none"


@pytest.mark.parametrize(
    ("kind", "secret"),
    [
        ("github", SECRET),
        ("stripe", SECRET),
        ("slack", SECRET),
        ("standard-webhooks", STANDARD),
        ("hmac", SECRET),
        ("bearer", "a-token-of-ours"),
        ("none", ""),
    ],
)
def test_the_shown_request_is_signed_as_its_sender_signs(
    functions: Open, kind: str, secret: str
) -> None:
    verify = {"kind": kind, "secret": "OUR_SECRET"}
    if kind == "hmac":
        verify |= {"header": "X-Mine", "prefix": "v=", "encoding": "base64"}

    received = sent(functions("guide.ts"), verify, secret, BODY)

    assert signed(received, kind, secret)
    body = json.loads(received.bodies[0])
    assert body["text"] == BODY["text"]
    assert (body["id"] == "evt_1") == (kind != "stripe")
    assert (body["event_id"] == "Ev1") == (kind != "slack")
    assert received.headers[0]["x-kind"] == "o'clock"
    assert received.headers[0]["content-type"] == "application/json"


def test_a_body_that_is_a_text_is_sent_as_it_is(functions: Open) -> None:
    verify = {"kind": "hmac", "secret": "OUR_SECRET", "header": "x-mine", "encoding": "hex"}

    received = sent(functions("guide.ts"), verify, SECRET, "don't\npanic")

    assert received.bodies == [b"don't\npanic"]
    assert received.headers[0]["x-mine"] == digest(SECRET, b"don't\npanic")
    assert received.headers[0]["content-type"] == "text/plain"


@pytest.mark.A98c
@pytest.mark.parametrize("text", ["@/etc/hostname", "@", "\\$HOME `id`", "a\n\n"])
def test_a_text_of_another_sender_is_neither_a_file_nor_a_command(
    functions: Open, text: str
) -> None:
    received = sent(functions("guide.ts"), {"kind": "none"}, "", text)

    assert received.bodies == [text.encode()]


@pytest.mark.A98c
def test_a_prefix_of_another_person_is_no_command(functions: Open) -> None:
    prefix = "\"'$(id)`id`\\$HOME"
    verify = {"kind": "hmac", "secret": "OUR_SECRET", "header": "x-mine", "prefix": prefix}

    received = sent(functions("guide.ts"), verify, SECRET, "text")

    assert received.headers[0]["x-mine"] == prefix + digest(SECRET, b"text")


@pytest.mark.A98c
def test_an_id_of_another_sender_stays_in_its_quotes(functions: Open) -> None:
    known = "evt_$`$&$$"
    body = {"text": "'; exit 7; '", "id": known}

    received = sent(functions("guide.ts"), {"kind": "stripe", "secret": "OUR_SECRET"}, SECRET, body)

    found = json.loads(received.bodies[0])
    assert found["text"] == body["text"]
    assert found["id"].startswith(known)
