"""Secrets, URLs and signatures, verified by the stock library and by the documented code."""

import base64
import time

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from engine.errors import InvalidWebhook
from engine.webhooks.signing import check_secret, check_webhook_url, make_secret, sign
from tests.support.http.signature_verifier import is_knouds_signed

BODY = '{"event":"execution.completed","result":{"text":"Grüße, 世界"}}'.encode()
ID = "0b5cfb4e-54e6-4e4c-a7f1-111111111111"
MADE = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw8vVYV6Jf2vE="
OWN = "correct horse battery staple"


def signed(*secrets: str, at: int | None = None, body: bytes = BODY) -> dict[str, str]:
    return dict(sign(secrets, ID, at or int(time.time()), body))


def stock(secret: str) -> Webhook:
    """Return the stock library's verifier; it takes a free secret as base64."""
    return Webhook(
        secret if secret.startswith("whsec_") else base64.b64encode(secret.encode()).decode()
    )


@pytest.mark.A60
@pytest.mark.parametrize("secret", [MADE, OWN, "ü" * 16, "whsec_" + "A" * 32])
def test_both_schemes_verify(secret: str) -> None:
    headers = signed(secret)

    assert stock(secret).verify(BODY, headers)["event"] == "execution.completed"
    assert is_knouds_signed(secret, headers["X-Knouds-Signature"], BODY)


def test_while_two_secrets_are_valid_a_receiver_with_either_verifies() -> None:
    old, new = make_secret(), OWN
    headers = signed(new, old)

    for secret in (old, new):
        assert stock(secret).verify(BODY, headers)
        assert is_knouds_signed(secret, headers["X-Knouds-Signature"], BODY)


@pytest.mark.A60
def test_what_was_tampered_with_is_rejected() -> None:
    for tampered in (
        {"webhook-id": ID.replace("1", "2")},
        {"webhook-timestamp": str(int(time.time()) - 10)},
        {"webhook-signature": signed(MADE)["webhook-signature"]},
    ):
        with pytest.raises(WebhookVerificationError):
            stock(OWN).verify(BODY, signed(OWN) | tampered)


@pytest.mark.A60
def test_another_body_another_secret_and_an_old_delivery_are_rejected() -> None:
    headers = signed(OWN)
    old = signed(OWN, at=int(time.time()) - 301)

    assert not is_knouds_signed(OWN, headers["X-Knouds-Signature"], BODY + b" ")
    assert not is_knouds_signed(make_secret(), headers["X-Knouds-Signature"], BODY)
    assert not is_knouds_signed(OWN, old["X-Knouds-Signature"], BODY)
    for secret, kept, body in (
        (OWN, headers, BODY + b" "),
        (make_secret(), headers, BODY),
        (OWN, old, BODY),
    ):
        with pytest.raises(WebhookVerificationError):
            stock(secret).verify(body, kept)


def test_a_secret_that_the_server_makes_is_32_bytes_in_standard_base64() -> None:
    secret = make_secret()

    assert secret.startswith("whsec_")
    assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32
    assert check_secret(secret) == secret
    assert make_secret() != secret


@pytest.mark.parametrize("secret", ["x" * 16, "x" * 256, "ü" * 16, "with spaces in it"])
def test_a_secret_of_the_owners_own_has_16_to_256_characters(secret: str) -> None:
    assert check_secret(secret) == secret


@pytest.mark.parametrize(
    "secret",
    [
        *(None, 5, "", "x" * 15, "x" * 257, "line\nbreak in the secret", "\ud800" * 20),
        *("whsec_not base64 at all", "whsec_" + "A" * 8, "whsec_" + "_" * 32),
    ],
)
def test_what_is_no_secret_is_refused_by_field_and_reason(secret: object) -> None:
    with pytest.raises(InvalidWebhook) as caught:
        check_secret(secret)

    assert caught.value.context["field"] == "secret"
    assert caught.value.context["reason"]


@pytest.mark.parametrize(
    "url",
    [
        *(None, 5, "", "nonsense", "http://hooks.example.com/", "ftp://hooks.example.com/"),
        *("https://127.0.0.1/", "https://localhost/", "https://10.0.0.1/", "https://[::1]/"),
        *("https://169.254.169.254/", "https://2130706433/", "https://0x7f.1/", "https://a:8443/"),
        *("https://user:pw@example.com/", "https://example.com\\@127.0.0.1/", "https://a b.c/"),
        *("https://example.com/\r\nX-Evil: 1", "https://example.com/" + "x" * 2_048),
    ],
)
def test_a_url_that_must_not_be_called_is_refused_when_it_is_saved(url: object) -> None:
    with pytest.raises(InvalidWebhook) as caught:
        check_webhook_url(url, allow_private=False)

    assert caught.value.context["field"] == "url"


def test_a_public_url_is_taken_as_it_is_written() -> None:
    url = "https://Hooks.example.com/in?token=a%20b"

    assert check_webhook_url(url, allow_private=False) == url


def test_in_development_plain_http_and_private_addresses_are_taken() -> None:
    assert check_webhook_url("http://127.0.0.1:9/hook", allow_private=True)
