"""Paths to which a sign-in leads on: paths of this host alone, however they are written."""

import pytest

from gateway.auth.browser_sessions import own_path

pytestmark = pytest.mark.A93


@pytest.mark.parametrize("path", ["/", "/workflows/a", "/workflows/a..b?x=../y#z", "/a/.hidden"])
def test_a_path_of_this_host_is_kept(path: str) -> None:
    assert own_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "/../a",
        "/a/../b",
        "/a/..",
        "/./a",
        "/a/%2e%2e/b",
        "/a/%252e%252e/b",
        "/a/.%2e/b",
        "//evil.example",
        "/%2f/evil.example",
        "/a//b",
        "/\\evil.example",
        "/%5cevil.example",
        "/a%0d%0ab",
        "/login",
        "/login/?next=/",
        "https://evil.example/",
        "evil",
        "",
        "/" + "a" * 2_048,
    ],
)
def test_a_path_that_may_lead_elsewhere_is_none(path: str) -> None:
    assert own_path(path) is None
