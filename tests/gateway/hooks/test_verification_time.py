"""A signature is compared in constant time, and in no other way."""

import hmac
from typing import Any

import pytest

from engine.media.links import LinkSigner
from engine.triggers.trigger import SignatureEncoding, VerifyKind
from tests.gateway.hooks.test_verification import (
    BODY,
    NOW,
    SECRET,
    SLACK_BODY,
    SLACK_SECRET,
    STRIPE_BODY,
    STRIPE_SECRET,
    slack,
    stripe,
    verified,
)

pytestmark = pytest.mark.A67

WRONG = "0" * 64
STANDARD = [
    ("webhook-id", "a"),
    ("webhook-timestamp", str(NOW)),
    ("webhook-signature", "v1,AAAA"),
]
HEADER: dict[str, Any] = {"header": "X-Mac", "encoding": SignatureEncoding.HEX}
FORGED: dict[VerifyKind, tuple[str, list[tuple[str, str]], bytes, dict[str, Any]]] = {
    VerifyKind.GITHUB: (SECRET, [("x-hub-signature-256", f"sha256={WRONG}")], BODY, {}),
    VerifyKind.SLACK: (SLACK_SECRET, slack(signature=f"v0={WRONG}"), SLACK_BODY, {}),
    VerifyKind.STRIPE: (STRIPE_SECRET, stripe(f"t={NOW},v1={WRONG}"), STRIPE_BODY, {}),
    VerifyKind.BEARER: (SECRET, [("authorization", "Bearer x")], BODY, {}),
    VerifyKind.HMAC: (SECRET, [("x-mac", WRONG)], BODY, HEADER),
    VerifyKind.STANDARD_WEBHOOKS: (SECRET, STANDARD, BODY, {}),
}
"""Secret, headers, body and settings of events that somebody else has signed."""


def test_each_kind_has_a_forged_event() -> None:
    assert {*FORGED, VerifyKind.NONE} == set(VerifyKind)


@pytest.mark.parametrize("kind", FORGED)
def test_the_verdict_on_an_event_is_that_of_the_constant_comparison(
    kind: VerifyKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, headers, body, settings = FORGED[kind]
    assert not verified(kind, secret, headers, body, **settings)

    monkeypatch.setattr(hmac, "compare_digest", lambda *_: True)

    assert verified(kind, secret, headers, body, **settings)


def test_the_verdict_on_a_link_to_a_medium_is_that_of_the_constant_comparison(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    links, asset_id = LinkSigner(["key"], ""), "0" * 24
    signature = links.url(asset_id, 99).rpartition("signature=")[2]
    query = {"expires": "99", "signature": "0" * len(signature)}
    assert links.verify(asset_id, query) is None

    monkeypatch.setattr(hmac, "compare_digest", lambda *_: True)

    assert links.verify(asset_id, query) is not None
