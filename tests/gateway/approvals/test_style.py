import re

from gateway.approvals.page import notice_page
from gateway.approvals.style import HEADERS
from gateway.http.pages import policy_for


def test_the_policy_allows_the_style_of_the_page_and_nothing_else() -> None:
    html = bytes(notice_page("a", "b", 200).body).decode()
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)

    policy = HEADERS["content-security-policy"]
    assert policy == policy_for(style)
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe-inline" not in policy and "script-src" not in policy
    assert ' style="' not in html


def test_the_address_of_the_page_stays_secret() -> None:
    assert HEADERS["referrer-policy"] == "no-referrer"
    assert HEADERS["cache-control"] == "no-store"
    assert "noindex" in HEADERS["x-robots-tag"]
