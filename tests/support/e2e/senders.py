"""Senders of events, which sign as GitHub, Stripe and Slack document it."""

import hashlib
import hmac
import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

TIMEOUT_S = 20


def issue_opened(title: str) -> dict[str, Any]:
    """Return the event of an issue that is opened, with the members that GitHub sends."""
    return {
        "action": "opened",
        "issue": {
            "number": 1347,
            "title": title,
            "body": "I'm having a problem with this.",
            "html_url": "https://github.com/octocat/Hello-World/issues/1347",
            "user": {"login": "octocat", "type": "User"},
            "labels": [{"name": "bug", "color": "f29513"}],
        },
        "repository": {"full_name": "octocat/Hello-World", "private": False},
        "sender": {"login": "octocat"},
    }


def checkout_completed(event_id: str, name: str) -> dict[str, Any]:
    """Return the event of a paid checkout, with the members that Stripe sends."""
    customer = {"email": "jenny@example.com", "name": name}
    session = {
        "id": "cs_test_a11YYufWQzNY63zpQ6QSNRQhkUpVph4WRmzW0zWJO2znZKdVujZ0N0S22u",
        "object": "checkout.session",
        "amount_total": 2198,
        "currency": "usd",
        "customer_details": customer,
        "payment_status": "paid",
    }
    return {
        "id": event_id,
        "object": "event",
        "api_version": "2024-06-20",
        "created": int(time.time()),
        "type": "checkout.session.completed",
        "data": {"object": session},
    }


def send_as_github(
    url: str, secret: str, event: str, body: Mapping[str, Any], delivery: str = ""
) -> tuple[int, dict[str, Any]]:
    """Send an event as a repository does; return the status and the answer."""
    content = json.dumps(body).encode()
    return _post(
        url,
        content,
        {
            "User-Agent": "GitHub-Hookshot/044aadd",
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": delivery or str(uuid4()),
            "X-Hub-Signature-256": f"sha256={_hex_digest(secret, content)}",
        },
    )


def send_as_stripe(url: str, secret: str, body: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    """Send an event as Stripe does; return the status and the answer."""
    content, now = json.dumps(body, indent=2).encode(), int(time.time())
    signature = _hex_digest(secret, b"%d.%s" % (now, content))
    return _post(url, content, {"Stripe-Signature": f"t={now},v1={signature},v0={'0' * 64}"})


def send_as_slack(url: str, secret: str, body: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    """Send a request as the Events API of Slack does; return the status and the answer."""
    content, now = json.dumps(body).encode(), int(time.time())
    signature = f"v0={_hex_digest(secret, b'v0:%d:%s' % (now, content))}"
    headers = {"X-Slack-Request-Timestamp": str(now), "X-Slack-Signature": signature}
    return _post(url, content, headers)


def _hex_digest(secret: str, content: bytes) -> str:
    return hmac.digest(secret.encode(), content, hashlib.sha256).hex()


def _post(url: str, content: bytes, headers: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(
        url, content, {"Content-Type": "application/json", **headers}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)
