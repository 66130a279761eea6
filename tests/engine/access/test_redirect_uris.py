import pytest

from engine.access.redirect_uris import check_redirect_uri, fits, redirect_with

pytestmark = pytest.mark.A99b


@pytest.mark.parametrize(
    "uri",
    [
        "https://client.example/callback",
        "https://client.example:8443/callback?from=headrace",
        "http://localhost:33418/",
        "http://127.0.0.1/callback",
        "http://[::1]:7777/callback",
        "cursor://anysphere.cursor-mcp/oauth/callback",
        "com.example.app:/callback",
    ],
)
def test_addresses_of_programs_are_taken(uri: str) -> None:
    check_redirect_uri(uri)


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("http://client.example/callback", "https, unless"),
        ("http://127.0.0.1.client.example/callback", "https, unless"),
        ("http://localhost.client.example/", "https, unless"),
        ("https://client.example/callback#there", "fragment"),
        ("https://client.example/callback#", "fragment"),
        ("https://claude.ai@client.example/callback", "user"),
        ("https:///callback", "host"),
        ("https://client.example:port/", "[Pp]ort"),
        ("https://client.example\\@other.example/", "backslash"),
        ("https://client.example/call back", "visible"),
        ("https://client.exämple/", "visible"),
        ("https://client.example/\r\nset-cookie: a", "visible"),
        ("javascript:alert(1)//", "scheme"),
        ("JavaScript:alert(1)", "scheme"),
        ("data:text/html,<script>alert(1)</script>", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("vbscript:a", "scheme"),
        ("blob:https://client.example/1", "scheme"),
        ("/callback", "scheme"),
        ("//client.example/callback", "scheme"),
        ("https://client.example/" + "a" * 2_000, "2,000"),
    ],
)
def test_other_addresses_are_refused_with_a_reason(uri: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        check_redirect_uri(uri)


@pytest.mark.parametrize(
    ("registered", "requested"),
    [
        ("https://client.example/callback", "https://client.example/callback"),
        ("http://127.0.0.1/callback", "http://127.0.0.1:50123/callback"),
        ("http://localhost:1/callback", "http://localhost:2/callback"),
        ("http://[::1]:1/", "http://[::1]:2"),
    ],
)
def test_a_registered_address_fits(registered: str, requested: str) -> None:
    assert fits(registered, requested)


@pytest.mark.parametrize(
    ("registered", "requested"),
    [
        ("https://client.example/callback", "https://client.example/callback/"),
        ("https://client.example/callback", "https://client.example/callback?next=evil"),
        ("https://client.example/callback", "https://client.example:444/callback"),
        ("https://client.example/callback", "https://client.example/other/../callback"),
        ("https://client.example/callback", "https://client.example/%63allback"),
        ("https://client.example/callback", "https://CLIENT.example/callback"),
        ("https://client.example/callback", "https://client.example.evil.example/callback"),
        ("http://127.0.0.1/callback", "http://localhost/callback"),
        ("http://127.0.0.1/callback", "http://127.0.0.1:1@evil.example/callback"),
        ("http://127.0.0.1/callback", "http://127.0.0.1:1/other"),
        ("http://127.0.0.1/callback", "http://127.0.0.1:1/callback#there"),
        ("http://127.0.0.1/callback", "https://127.0.0.1/callback"),
        ("http://127.0.0.1/callback", "http://127.0.0.1:port/callback"),
    ],
)
def test_another_address_does_not_fit(registered: str, requested: str) -> None:
    assert not fits(registered, requested)


@pytest.mark.parametrize(
    ("uri", "sent_to"),
    [
        ("https://a.example/", "https://a.example/?code=x%26y"),
        ("https://a.example/?empty=", "https://a.example/?empty=&code=x%26y"),
        ("app:/back", "app:/back?code=x%26y"),
    ],
)
def test_an_answer_is_added_to_the_query(uri: str, sent_to: str) -> None:
    assert redirect_with(uri, {"code": "x&y", "state": None}) == sent_to
