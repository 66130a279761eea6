"""Events of inbound webhooks: visible headers, ids, and the challenge of Slack."""

from typing import Any

import pytest

from engine.store import HookEvent
from engine.triggers.trigger import Verify, VerifyKind
from gateway.hooks.events import (
    default_event_id,
    parse_event,
    recorded_event,
    sample_event,
    slack_challenge,
    visible_headers,
)

Pairs = list[tuple[bytes, bytes]]
ALL: Pairs = [
    (b"host", b"h"),
    (b"authorization", b"Bearer x"),
    (b"cookie", b"a=1"),
    (b"x-hub-signature-256", b"sha256=0"),
    (b"stripe-signature", b"t=1"),
    (b"x-slack-signature", b"v0=0"),
    (b"x-slack-request-timestamp", b"1"),
    (b"webhook-id", b"msg_1"),
    (b"webhook-timestamp", b"1"),
    (b"webhook-signature", b"v1,0"),
    (b"x-mine", b"0"),
]
STRIPE_EVENT = {"object": "event", "id": "evt_1"}


@pytest.mark.parametrize(
    ("verify", "hidden"),
    [
        (Verify(kind=VerifyKind.NONE), ()),
        (Verify(kind=VerifyKind.BEARER), ()),
        (Verify(kind=VerifyKind.GITHUB), ("x-hub-signature-256",)),
        (Verify(kind=VerifyKind.STRIPE), ("stripe-signature",)),
        (Verify(kind=VerifyKind.SLACK), ("x-slack-signature", "x-slack-request-timestamp")),
        (
            Verify(kind=VerifyKind.STANDARD_WEBHOOKS),
            ("webhook-id", "webhook-timestamp", "webhook-signature"),
        ),
        (Verify(kind=VerifyKind.HMAC, header="X-Mine"), ("x-mine",)),
    ],
)
def test_headers_that_prove_something_are_not_seen(verify: Verify, hidden: tuple[str, ...]) -> None:
    always = {"authorization", "cookie"}
    names = {name.decode() for name, _ in ALL}

    assert set(visible_headers(verify, ALL)) == names - always - set(hidden)


def test_an_event_has_body_headers_query_and_method() -> None:
    headers = [(b"content-type", b"application/json"), (b"X-A", b"1"), (b"x-a", b"\xe4")]

    event = parse_event(Verify(kind=VerifyKind.NONE), headers, b"a=1&b=%C3%A4&a=2&c", b'{"n": 1}')

    assert event.values() == {
        "body": {"n": 1},
        "headers": {"content-type": "application/json", "x-a": "1, ä"},
        "query": {"a": ["1", "2"], "b": "ä", "c": ""},
        "method": "POST",
    }


def test_a_key_of_this_installation_is_not_seen() -> None:
    verify, key = Verify(kind=VerifyKind.NONE), "hr_live_" + "a" * 43 + "_123456"

    assert visible_headers(verify, [(b"x-api-key", key.encode()), (b"a", b"1")]) == {"a": "1"}
    assert visible_headers(verify, [(b"x-api-key", b"theirs")]) == {"x-api-key": "theirs"}
    assert sample_event(verify, {}, {"X-API-Key": key}).headers == {}


def test_a_sample_hides_the_same_headers() -> None:
    headers = {"X-Hub-Signature-256": "sha256=0", "Authorization": "x", "X-GitHub-Event": "issues"}

    event = sample_event(Verify(kind=VerifyKind.GITHUB), [1], headers)

    assert (event.body, event.headers) == ([1], {"x-github-event": "issues"})


@pytest.mark.parametrize(
    ("kind", "headers", "body", "expected"),
    [
        (VerifyKind.NONE, [], {}, None),
        (VerifyKind.NONE, [(b"webhook-id", b"w")], {}, "w"),
        (VerifyKind.NONE, [(b"webhook-id", b"w")] * 2, {}, None),
        (VerifyKind.HMAC, [(b"x-github-delivery", b"g")], {}, "g"),
        (VerifyKind.HMAC, [(b"x-github-delivery", b"g"), (b"webhook-id", b"w")], {}, "w"),
        (VerifyKind.GITHUB, [(b"x-github-delivery", b"g"), (b"webhook-id", b"w")], {}, "g"),
        (VerifyKind.NONE, [], STRIPE_EVENT, "evt_1"),
        (VerifyKind.NONE, [], {"id": "evt_1"}, None),
        (VerifyKind.NONE, [], {"object": "event", "id": "1"}, None),
        (VerifyKind.NONE, [(b"webhook-id", b"w")], STRIPE_EVENT, "w"),
        (VerifyKind.STRIPE, [(b"webhook-id", b"w")], STRIPE_EVENT, "evt_1"),
        (VerifyKind.STRIPE, [], {"object": "v2.core.event", "id": "evt_1"}, "evt_1"),
        (VerifyKind.STRIPE, [], "text", None),
        (VerifyKind.NONE, [], {"object": "event", "id": {"evt_": 1}}, None),
    ],
)
def test_the_id_of_an_event_is_that_of_its_sender(
    kind: VerifyKind, headers: Pairs, body: Any, expected: str | None
) -> None:
    assert default_event_id(Verify(kind=kind), headers, body) == expected


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        (VerifyKind.SLACK, {"type": "url_verification", "challenge": "c"}, "c"),
        (VerifyKind.SLACK, {"type": "event_callback", "challenge": "c"}, None),
        (VerifyKind.SLACK, {"type": "url_verification", "challenge": 1}, None),
        (VerifyKind.SLACK, "url_verification", None),
        (VerifyKind.NONE, {"type": "url_verification", "challenge": "c"}, None),
    ],
)
def test_the_challenge_of_slack(kind: VerifyKind, body: Any, expected: str | None) -> None:
    assert slack_challenge(Verify(kind=kind), body) == expected


def test_what_may_be_secret_is_not_kept() -> None:
    event = HookEvent(
        body="b",
        headers={
            **dict.fromkeys(("x-api-key", "apikey", "x-gitlab-token", "proxy-authorization"), "s"),
            **dict.fromkeys(("x-hub-signature", "set-cookie", "x-vault-secret"), "s"),
            "content-type": "text/plain",
        },
        query={"key": "s"},
    )

    assert recorded_event(event) == HookEvent(body="b", headers={"content-type": "text/plain"})
