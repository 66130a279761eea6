"""Verification of inbound events, against vectors that services document and their libraries."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from engine.triggers.trigger import SignatureEncoding, Verify, VerifyKind
from gateway.hooks.verification import MAX_AGE_SECONDS, is_verified, read_headers

pytestmark = pytest.mark.A95a

NOW = 1_531_420_618
SECRET = "It's a Secret to Everybody"
BODY = b"Hello, World!"
GITHUB = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
"""Of the page of GitHub about validating deliveries."""
SLACK_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
SLACK_BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow"
    b"&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner"
    b"&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands"
    b"%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
SLACK = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
"""Of the page of Slack about verifying requests, with the time NOW."""
STRIPE_SECRET = "whsec_test_secret"
STRIPE_BODY = b'{"id": "evt_test_webhook", "object": "event"}'
STRIPE = "8770df1a9aae47cb460f32df7cab20027a65947c2ed612f62bb2549394c65b57"
"""Made by `stripe.WebhookSignature` of the library `stripe` 16.1.0, with the time NOW."""
STANDARD_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

Pairs = list[tuple[str, str]]


def verified(
    kind: VerifyKind,
    secret: str | None,
    headers: Pairs,
    body: bytes,
    now: float = NOW,
    **settings: Any,
) -> bool:
    verify = Verify(kind=kind, secret="NAME", **settings)
    raw = [(name.encode(), value.encode()) for name, value in headers]
    return is_verified(verify, secret, raw, body, now)


def stripe(signature: str = f"t={NOW},v1={STRIPE}") -> Pairs:
    return [("stripe-signature", signature)]


def slack(at: str = str(NOW), signature: str = SLACK) -> Pairs:
    return [("x-slack-request-timestamp", at), ("x-slack-signature", signature)]


def standard(secret: str, body: bytes, at: int = NOW) -> Pairs:
    signature = Webhook(secret).sign("msg_1", datetime.fromtimestamp(at, UTC), body.decode())
    return [
        ("webhook-id", "msg_1"),
        ("webhook-timestamp", str(at)),
        ("webhook-signature", signature),
    ]


def mac(body: bytes = BODY) -> bytes:
    return hmac.new(SECRET.encode(), body, hashlib.sha256).digest()


def test_the_vector_of_github() -> None:
    header = [("x-hub-signature-256", GITHUB)]

    assert verified(VerifyKind.GITHUB, SECRET, header, BODY)
    assert not verified(VerifyKind.GITHUB, SECRET, header, BODY + b" ")
    assert not verified(VerifyKind.GITHUB, "Another secret", header, BODY)
    assert not verified(VerifyKind.GITHUB, SECRET, [("x-hub-signature-256", GITHUB[7:])], BODY)
    assert not verified(VerifyKind.GITHUB, SECRET, [("x-hub-signature", GITHUB)], BODY)


def test_the_vector_of_slack() -> None:
    assert verified(VerifyKind.SLACK, SLACK_SECRET, slack(), SLACK_BODY)
    assert not verified(VerifyKind.SLACK, SLACK_SECRET, slack(), SLACK_BODY + b"x")
    assert not verified(VerifyKind.SLACK, SLACK_SECRET, slack(str(NOW + 1)), SLACK_BODY)
    assert not verified(VerifyKind.SLACK, SLACK_SECRET, slack()[1:], SLACK_BODY)


def test_the_vector_of_stripe() -> None:
    def ok(signature: str) -> bool:
        return verified(VerifyKind.STRIPE, STRIPE_SECRET, stripe(signature), STRIPE_BODY)

    assert ok(f"t={NOW},v1={STRIPE}")
    assert ok(f"t={NOW},v1={'0' * 64},v1={STRIPE},v0=anything")
    assert not ok(f"t={NOW},v0={STRIPE}")
    assert not ok(f"t={NOW + 1},v1={STRIPE}")
    assert not ok(f"t={NOW},t={NOW + 1},v1={STRIPE}")
    assert not ok(f"v1={STRIPE}")
    assert not ok("")


@pytest.mark.parametrize("secret", [STANDARD_SECRET, base64.b64encode(b"k" * 32).decode()])
def test_standard_webhooks_as_its_library_signs_them(secret: str) -> None:
    body = b'{"test": 2432232314}'
    headers = standard(secret, body)
    ours = secret if secret.startswith("whsec_") else f"whsec_{secret}"

    assert verified(VerifyKind.STANDARD_WEBHOOKS, ours, headers, body)
    assert not verified(VerifyKind.STANDARD_WEBHOOKS, ours, headers, body + b" ")
    changed = [("webhook-id", "msg_2"), *headers[1:]]
    assert not verified(VerifyKind.STANDARD_WEBHOOKS, ours, changed, body)
    several = [*headers[:2], ("webhook-signature", f"v1,{'A' * 44} {headers[2][1]}")]
    assert verified(VerifyKind.STANDARD_WEBHOOKS, ours, several, body)
    other_version = [*headers[:2], ("webhook-signature", headers[2][1].replace("v1,", "v1a,"))]
    assert not verified(VerifyKind.STANDARD_WEBHOOKS, ours, other_version, body)


@pytest.mark.parametrize("secret", ["a plain secret", "whsec_no base64", "whsec_"])
def test_a_secret_of_ones_own_counts_by_its_bytes(secret: str) -> None:
    key = base64.b64encode(secret.encode()).decode()

    headers = standard(key, BODY)

    assert verified(VerifyKind.STANDARD_WEBHOOKS, secret, headers, BODY)


@pytest.mark.parametrize("late", [-MAX_AGE_SECONDS, MAX_AGE_SECONDS])
def test_a_time_is_good_for_300_seconds_in_both_directions(late: int) -> None:
    beyond = late + (1 if late > 0 else -1)
    signed = standard(STANDARD_SECRET, BODY)

    for now, expected in ((NOW + late, True), (NOW + beyond, False)):
        checked = (
            verified(VerifyKind.STRIPE, STRIPE_SECRET, stripe(), STRIPE_BODY, now),
            verified(VerifyKind.SLACK, SLACK_SECRET, slack(), SLACK_BODY, now),
            verified(VerifyKind.STANDARD_WEBHOOKS, STANDARD_SECRET, signed, BODY, now),
        )
        assert checked == (expected,) * 3


@pytest.mark.parametrize("at", ["", "x", " 1531420618", "+1531420618", "1_531_420_618", "9" * 400])
def test_a_time_that_is_none_is_refused(at: str) -> None:
    signed = b"v0:%s:" % at.encode() + SLACK_BODY
    right = "v0=" + hmac.new(SLACK_SECRET.encode(), signed, hashlib.sha256).hexdigest()

    assert not verified(VerifyKind.SLACK, SLACK_SECRET, slack(at, right), SLACK_BODY)


def test_a_bearer_token() -> None:
    def ok(*values: str, secret: str = "a-token") -> bool:
        headers = [("authorization", value) for value in values]
        return verified(VerifyKind.BEARER, secret, headers, BODY)

    assert ok("Bearer a-token")
    assert ok("bearer  a-token ")
    assert ok("Bearer tökén-ö", secret="tökén-ö")
    assert ok("Bearer a token", secret="a token")
    assert not ok("Bearer a-tokem")
    assert not ok("Bearer a-token x")
    assert not ok("Basic a-token")
    assert not ok("a-token")
    assert not ok()
    assert not ok("Bearer a-token", "Bearer a-token")


@pytest.mark.parametrize(
    ("settings", "value"),
    [
        ({}, mac().hex()),
        ({}, mac().hex().upper()),
        ({"prefix": "sha256=", "encoding": SignatureEncoding.HEX}, f"sha256={mac().hex()}"),
        ({"encoding": SignatureEncoding.BASE64}, base64.b64encode(mac()).decode()),
        (
            {"encoding": SignatureEncoding.BASE64},
            base64.urlsafe_b64encode(mac()).decode().rstrip("="),
        ),
        (
            {"prefix": "v1,", "encoding": SignatureEncoding.BASE64},
            f"v1,{base64.b64encode(mac()).decode()}",
        ),
    ],
)
def test_an_hmac_in_a_header_of_the_settings(settings: dict[str, Any], value: str) -> None:
    settings = {"header": "X-My-Signature", **settings}
    name = "x-my-signature"

    assert verified(VerifyKind.HMAC, SECRET, [(name, value)], BODY, **settings)
    assert not verified(VerifyKind.HMAC, SECRET, [(name, value)], BODY + b"!", **settings)
    assert not verified(VerifyKind.HMAC, SECRET, [(name, f"x{value}")], BODY, **settings)
    assert not verified(VerifyKind.HMAC, SECRET, [(name, value)] * 2, BODY, **settings)
    assert not verified(VerifyKind.HMAC, SECRET, [("x-other", value)], BODY, **settings)


@pytest.mark.parametrize("kind", [each for each in VerifyKind if each is not VerifyKind.NONE])
def test_nothing_is_verified_without_a_secret(kind: VerifyKind) -> None:
    empty = hmac.new(b"", BODY, hashlib.sha256).hexdigest()
    timed = hmac.new(b"", b"%d." % NOW + BODY, hashlib.sha256).hexdigest()
    forged = [
        ("authorization", "Bearer "),
        ("x-signature", empty),
        ("x-hub-signature-256", f"sha256={empty}"),
        ("stripe-signature", f"t={NOW},v1={timed}"),
        *slack(signature="v0=" + hmac.new(b"", b"v0:%d:" % NOW + BODY, "sha256").hexdigest()),
    ]

    assert not verified(kind, None, forged, BODY)
    assert not verified(kind, None, [], BODY)


def test_everything_is_verified_by_the_kind_none() -> None:
    assert verified(VerifyKind.NONE, None, [], BODY)


@given(
    st.sampled_from([each for each in VerifyKind if each is not VerifyKind.NONE]),
    st.binary(max_size=200),
    st.text(st.characters(max_codepoint=255), max_size=200),
)
def test_no_header_breaks_the_verification(kind: VerifyKind, body: bytes, value: str) -> None:
    verify = Verify(kind=kind, secret="NAME")
    headers = [(name.encode(), value.encode("latin-1")) for name in read_headers(verify)]

    assert not is_verified(verify, SECRET, headers, body, NOW)
