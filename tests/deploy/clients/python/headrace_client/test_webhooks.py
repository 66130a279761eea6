import base64
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from headrace_client import (
    AsyncHeadrace,
    BatchWebhook,
    ExecutionWebhook,
    UnexpectedAnswerError,
    WebhookEvent,
    WebhookVerificationError,
    verify_webhook,
)

BODY = json.dumps(
    {"event": "execution.completed", "executionId": "e1", "status": "completed", "tags": ["ä"]},
    ensure_ascii=False,
)
MADE = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OWN = "ein eigenes Geheimnis: äöü"
SECRETS = pytest.mark.parametrize("secret", [MADE, OWN], ids=["made", "own"])


def standard(secret: str, body: str = BODY, at: float | None = None) -> dict[str, str]:
    moment = datetime.fromtimestamp(at or time.time(), UTC)
    signer = Webhook(secret if secret.startswith("whsec_") else secret.encode())
    return {
        "webhook-id": "m1",
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": signer.sign("m1", moment, body),
    }


def knouds(secret: str, body: str = BODY, at: float | None = None) -> dict[str, str]:
    when = str(int(at or time.time()))
    signed = hmac.new(secret.encode(), f"{when}.{body}".encode(), hashlib.sha256).hexdigest()
    return {"X-Knouds-Signature": f"t={when},v1=00,v1={signed}"}


@SECRETS
@pytest.mark.parametrize("sign", [standard, knouds])
def test_a_signed_body_is_read_as_its_event(secret: str, sign: Any) -> None:
    event = verify_webhook(BODY.encode(), sign(secret), secret)

    assert isinstance(event, ExecutionWebhook)
    assert (event.event, event.execution_id, event.tags) == ("execution.completed", "e1", ("ä",))


@pytest.mark.parametrize("form", ["upper", "pairs", "asgi", "wsgi", "lists", "bytes body"])
def test_headers_are_those_of_any_framework(form: str) -> None:
    given: Any = standard(OWN)
    if form == "upper":
        given = {name.title(): value for name, value in given.items()}
    if form == "pairs":
        given = list(given.items())
    if form == "asgi":
        given = [(name.encode(), value.encode()) for name, value in given.items()]
    if form == "wsgi":
        environ = {f"HTTP_{name.upper().replace('-', '_')}": each for name, each in given.items()}
        given = {**environ, "wsgi.input": object(), "REQUEST_METHOD": "POST"}
    if form == "lists":
        given = {name: [value] for name, value in given.items()}

    assert verify_webhook(BODY, given, OWN).event == "execution.completed"
    assert AsyncHeadrace.verify_webhook(BODY, given, OWN).event == "execution.completed"


@SECRETS
@pytest.mark.parametrize("sign", [standard, knouds])
def test_what_is_not_genuine_is_refused(secret: str, sign: Any) -> None:
    for headers, body in (
        (sign(secret), BODY + " "),
        (sign("another secret of theirs"), BODY),
        (sign(secret, at=time.time() - 400), BODY),
        (sign(secret, at=time.time() + 400), BODY),
        ({}, BODY),
    ):
        with pytest.raises(WebhookVerificationError):
            verify_webhook(body, headers, secret)
    with pytest.raises(WebhookVerificationError):
        verify_webhook(BODY, sign(secret), "")


@pytest.mark.parametrize(
    "changes",
    [
        {"webhook-signature": "v1"},
        {"webhook-signature": "v1,%%%"},
        {"webhook-signature": "v2,AAAA"},
        {"webhook-timestamp": "never"},
        {"webhook-id": ""},
    ],
)
def test_damaged_headers_are_refused_and_break_nothing(changes: dict[str, str]) -> None:
    with pytest.raises(WebhookVerificationError):
        verify_webhook(BODY, standard(OWN) | changes, OWN)


def test_a_wrong_standard_signature_is_not_made_good_by_the_other_one() -> None:
    headers = knouds(OWN) | standard(OWN) | {"webhook-signature": "v1,AAAA"}

    with pytest.raises(WebhookVerificationError):
        verify_webhook(BODY, headers, OWN)


def test_a_genuine_event_that_cannot_be_read_is_not_taken_for_a_forged_one() -> None:
    body = json.dumps({"event": "execution.failed", "executionId": "e1", "error": "a sentence"})

    with pytest.raises(UnexpectedAnswerError, match="no object"):
        verify_webhook(body, standard(OWN, body), OWN)


def test_the_end_of_a_batch_and_a_test_have_their_types() -> None:
    batch = {
        "event": "batch.completed",
        "batchId": "b1",
        "status": "completed",
        "counts": {"completed": 2},
    }
    for members, kind in ((batch, BatchWebhook), ({"event": "webhook.new"}, WebhookEvent)):
        body = json.dumps(members)
        event = verify_webhook(body, standard(OWN, body), OWN)
        assert type(event) is kind
        assert event.raw == members
