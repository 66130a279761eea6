"""Headers that the author of a call may set."""

import pytest

from engine.net.header_policy import header_fault


@pytest.mark.parametrize(
    "name",
    ["Accept", "Authorization", "Cookie", "x-api-key", "Content-Type", "X-Idempotency-Key", "Via2"],
)
def test_an_authors_header_may_be_set(name: str) -> None:
    assert header_fault(name, "a\tvalue, é") is None


@pytest.mark.A46
@pytest.mark.A43
@pytest.mark.parametrize(
    "name",
    [
        "Host",
        "Connection",
        "Keep-Alive",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "Upgrade",
        "Content-Length",
        "Expect",
        "Proxy-Authorization",
        "Proxy-Connection",
        "X-Forwarded-For",
        "x-forwarded-host",
        "Forwarded",
        "X-Real-IP",
        "Via",
        "X-Knouds-Signature",
        "webhook-id",
        "Webhook-Signature",
        "webhook-timestamp",
        "Metadata",
        "Metadata-Flavor",
        "X-aws-ec2-metadata-token",
        "X-aws-ec2-metadata-token-ttl-seconds",
        "X-Google-Metadata-Request",
        "Accept-Encoding",
        "Sec-Fetch-Site",
        "HTTP2-Settings",
    ],
)
def test_any_of_these_headers_cannot_be_set(name: str) -> None:
    assert header_fault(name) == header_fault(name.upper()) == "cannot be set here"


@pytest.mark.A46
@pytest.mark.parametrize(
    "name", ["", " ", "X Key", "X:", ":path", "X\n", "Ä", "Hos\x00t", "a" * 129]
)
def test_a_name_is_a_token(name: str) -> None:
    assert header_fault(name) == "is no valid name of a header"


@pytest.mark.A46
@pytest.mark.parametrize("value", ["a\r\nX: b", "a\nb", "a\rb", "\x00", "\x1f", "\x7f", "\ud800"])
def test_a_value_has_no_control_characters(value: str) -> None:
    assert header_fault("X-Key", value) == "has a line break or another control character"
