import hashlib
from typing import Any

import httpx2
import pytest

from tests.support.acceptance.running_stack import RunningStack
from tests.support.contract.installation import Administration, Caller
from tests.support.contract.shapes import assert_fits, moment, sentence
from tests.support.gateway.documents import greeting
from tests.support.media.files import png

WRONG = "hr_live_" + "A" * 43 + "_" + "A" * 6
CONNECTIONS = 8
"""Calls that reach each of two gateways."""
UNAUTHORIZED = b'{"error":"Unauthorized"}'
PRESETS = {
    "Read-only": ["workflow:read"],
    "Workflow Deploy": ["workflow:read", "workflow:run"],
    "Webhook receiver": ["webhook:receive"],
    "Full deploy": ["workflow:read", "workflow:run", "workflow:write"],
    "Run with webhooks": ["webhook:receive", "workflow:read", "workflow:run"],
}
KEY = {
    "id": str,
    "name": "ci",
    "prefix": str,
    "last4": str,
    "capabilities": [str],
    "createdAt": moment,
    "expiresAt": None,
}


def statuses_of(caller: Caller) -> list[int]:
    """Return the answers to reading and running with the key."""
    read, ran = caller.get("/api/whoami"), caller.run("no-such")
    assert read.status_code != 401 or read.content == ran.content == UNAUTHORIZED
    return [read.status_code, ran.status_code]


def make(browser: Caller, **body: Any) -> httpx2.Response:
    return browser.post("/api/api-keys", {"name": "ci", **body})


def test_a_new_key_is_shown_once(browser: Caller, administration: Administration) -> None:
    answer = make(browser, preset="Workflow Deploy")
    listed = browser.get("/api/api-keys")

    made = answer.json()
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    assert_fits(made, {**KEY, "key": str})
    assert made["key"].startswith(made["prefix"])
    assert made["key"].endswith(made["last4"])
    assert len(made["last4"]) == 4
    assert made["key"] not in listed.text
    (row,) = [each for each in listed.json() if each["id"] == made["id"]]
    assert_fits(row, {**KEY, "lastUsedAt": None, "webhook": None, "client": None})
    assert all(row[name] == made[name] for name in KEY)
    administration.with_key(made["key"]).get("/api/whoami")
    (used,) = [each for each in browser.get("/api/api-keys").json() if each["id"] == made["id"]]
    assert used["lastUsedAt"] >= used["createdAt"]


def test_a_key_has_the_documented_form(browser: Caller) -> None:
    key = make(browser, preset="Read-only").json()["key"]

    words = key.removeprefix("hr_live_")
    assert key.startswith("hr_live_")
    assert (len(words), words[43], words[-7]) == (43 + 1 + 6, "_", "_")
    assert words.replace("_", "").replace("-", "").isalnum()


def test_a_key_is_at_rest_as_a_digest_alone(browser: Caller, stack: RunningStack) -> None:
    made = make(browser, preset="Workflow Deploy").json()
    browser.client.get("/api/whoami", headers={"x-api-key": made["key"]})
    browser.client.get(f"/api/whoami?key={made['key']}", headers={"x-api-key": made["key"] + "x"})

    files = [each for each in (stack.data_dir / "redis").rglob("*") if each.is_file()]
    written = b"".join(each.read_bytes() for each in files) + "".join(stack.errors).encode()

    digest = hashlib.sha256(made["key"].encode())
    assert made["id"].encode() in written
    assert digest.digest() in written or digest.hexdigest().encode() in written
    assert made["key"].encode() not in written
    assert made["key"][20:50].encode() not in written


@pytest.mark.parametrize(("preset", "capabilities"), PRESETS.items())
def test_a_preset_is_a_set_of_capabilities(
    browser: Caller, preset: str, capabilities: list[str]
) -> None:
    assert sorted(make(browser, preset=preset).json()["capabilities"]) == capabilities


@pytest.mark.A72
def test_custom_is_any_subset_once_each_and_in_order(browser: Caller) -> None:
    chosen = ["workflow:my-flow:run", "execution:read", "model:run", "execution:read"]

    answer = make(browser, preset="Custom", capabilities=chosen)

    assert answer.json()["capabilities"] == sorted(set(chosen))


BAD_CAPABILITIES = (
    "workflow:*:run",
    "workflow: run",
    "a:*",
    "workflow::run",
    "WORKFLOW:run",
    "workflow:run ",
    " workflow:run",
    "workflow:run\n",
    "workflow:run\x00",
    "workflow:../x:run",
    "workflow:A:run",
    "workflow:*:*",
    "workflow:run,workflow:read",
    "workflow:run:*",
    "workflow:**",
    "*:*",
    "**",
    "",
    "workflow",
    "workflow:fly",
    "workflow:mine:write",
    "workflow:" + "a" * 65 + ":run",
    "workflow:rün",
    "wоrkflow:run",
    "ｗorkflow:run",
    "workflow:run\u200b",
    "x" * 10_240,
)


@pytest.mark.A72
@pytest.mark.parametrize("capability", BAD_CAPABILITIES, ids=range(len(BAD_CAPABILITIES)))
def test_a_malformed_capability_is_refused(browser: Caller, capability: str) -> None:
    answer = make(browser, capabilities=["workflow:read", capability])

    assert answer.status_code == 400
    assert_fits(answer.json(), {"error": sentence, "code": "INVALID_CAPABILITY"})
    assert len(answer.content) < 500


BAD_BODIES: dict[str, tuple[Any, str]] = {
    "nothing": ({}, "name"),
    "no name": ({"preset": "Read-only"}, "name"),
    "a blank name": ({"name": " ", "preset": "Read-only"}, "name"),
    "a name of a separator": ({"name": "\x1f", "preset": "Read-only"}, "name"),
    "a long name with blanks": ({"name": "x" * 100 + " ", "preset": "Read-only"}, "name"),
    "a long name": ({"name": "x" * 101, "preset": "Read-only"}, "name"),
    "a number for a name": ({"name": 5, "preset": "Read-only"}, "name"),
    "no capabilities": ({"name": "k"}, "capabilities"),
    "an empty set": ({"name": "k", "capabilities": []}, "capabilities"),
    "a text for a set": ({"name": "k", "capabilities": "workflow:run"}, "capabilities"),
    "a number in a set": ({"name": "k", "capabilities": [1]}, "capabilities"),
    "an endless set": ({"name": "k", "capabilities": ["workflow:run"] * 501}, "capabilities"),
    "an unknown preset": ({"name": "k", "preset": "Root"}, "preset"),
    "a list for a preset": ({"name": "k", "preset": ["Read-only"]}, "preset"),
    "both": ({"name": "k", "preset": "Read-only", "capabilities": ["*"]}, "capabilities"),
    "custom without a set": ({"name": "k", "preset": "Custom"}, "capabilities"),
}


@pytest.mark.parametrize("name", sorted(BAD_BODIES))
def test_a_key_that_is_asked_for_wrongly_is_refused_by_name(browser: Caller, name: str) -> None:
    body, field = BAD_BODIES[name]
    before = browser.get("/api/api-keys").json()

    answer = browser.post("/api/api-keys", body)

    assert answer.status_code == 400
    assert_fits(answer.json(), {"error": sentence, "code": "INVALID_BODY", "field": field})
    assert browser.get("/api/api-keys").json() == before


@pytest.mark.parametrize("tier", ["free", "creator"])
def test_low_tiers_have_no_keys_at_all(administration: Administration, tier: str) -> None:
    answer = make(administration.browser(administration.account(tier)), preset="Read-only")

    assert answer.status_code == 403
    assert_fits(answer.json(), {"error": sentence, "code": "API_KEY_ACCESS_DENIED"})


@pytest.mark.A72
@pytest.mark.parametrize(
    ("tier", "attempted"),
    [
        ("pro", "model:run"),
        ("pro", "model:*"),
        ("pro", "model:x:run"),
        ("pro", "agent:invoke"),
        ("pro", "*"),
        ("business", "*"),
        ("enterprise", "*"),
    ],
)
def test_a_capability_above_the_ceiling_is_refused(
    administration: Administration, tier: str, attempted: str
) -> None:
    browser = administration.browser(administration.account(tier))

    answer = make(browser, capabilities=["workflow:run", attempted])

    assert answer.status_code == 403
    refusal = {"code": "CAPABILITY_ABOVE_CEILING", "attempted": attempted}
    assert_fits(answer.json(), {"error": sentence, **refusal})


@pytest.mark.parametrize(
    ("tier", "capabilities"),
    [
        ("pro", ["execution:cancel", "execution:read", "webhook:receive", "workflow:*"]),
        ("business", ["agent:invoke", "model:*", "workflow:*"]),
        ("enterprise", ["agent:invoke", "model:*", "workflow:*"]),
    ],
)
def test_a_tier_grants_what_lies_under_its_ceiling(
    administration: Administration, tier: str, capabilities: list[str]
) -> None:
    answer = make(administration.browser(administration.account(tier)), capabilities=capabilities)

    assert sorted(answer.json()["capabilities"]) == capabilities


def test_a_new_key_with_all_of_executions_has_approvals_by_name(browser: Caller) -> None:
    made = make(browser, capabilities=["execution:*"])

    assert made.json()["capabilities"] == ["execution:*", "execution:approve"]


def test_an_admin_may_have_a_key_for_everything(administration: Administration) -> None:
    browser = administration.browser(administration.account("enterprise", role="admin"))

    made = make(browser, capabilities=["*"]).json()

    caller = administration.with_key(made["key"])
    assert caller.get("/api/whoami").json()["user"]["role"] == "admin"
    assert caller.get("/api/workflows").status_code == 200


@pytest.mark.parametrize("slug", ["run", "read"])
def test_a_workflow_called_like_a_verb_confuses_nobody(
    administration: Administration, slug: str
) -> None:
    owner = administration.account("pro")
    writer = administration.with_key(administration.key(owner, "workflow:write"))
    saved, other = writer.save(greeting(slug)), writer.save(greeting("Other"))
    caller = administration.with_key(administration.key(owner, f"workflow:{saved}:run"))

    assert saved == slug
    assert caller.run(saved, {"name": "Ada"}).status_code == 200
    assert caller.run(other, {"name": "Ada"}).json()["code"] == "CAPABILITY_DENIED"
    assert caller.get(f"/api/workflows/{saved}").json()["required"] == "workflow:read"
    writer.clean()


@pytest.mark.parametrize(
    "key", ["", WRONG, WRONG[:-1], "hr_live_", "Bearer x", "hr_test_" + WRONG[8:], "x" * 5_000]
)
def test_keys_that_are_none_are_all_answered_alike(anonymous: httpx2.Client, key: str) -> None:
    answer = anonymous.get("/api/whoami", headers={"x-api-key": key})

    assert (answer.status_code, answer.content) == (401, UNAUTHORIZED)


def test_a_key_counts_in_its_own_header_alone(
    anonymous: httpx2.Client, api_access: tuple[str, str]
) -> None:
    _, key = api_access
    elsewhere = [
        anonymous.get("/api/whoami"),
        anonymous.get("/api/whoami", headers={"authorization": f"Bearer {key}"}),
        anonymous.get(f"/api/whoami?x-api-key={key}&api_key={key}"),
        anonymous.get("/api/whoami", headers={"cookie": f"x-api-key={key}"}),
        anonymous.get("/api/whoami", headers=[("x-api-key", key), ("x-api-key", key)]),
    ]

    assert {answer.content for answer in elsewhere} == {UNAUTHORIZED}


def test_a_deleted_key_fails_on_the_very_next_request(
    browser: Caller, administration: Administration
) -> None:
    made = make(browser, preset="Workflow Deploy").json()
    callers = [administration.with_key(made["key"]) for _ in range(CONNECTIONS)]
    before = [statuses_of(caller) for caller in callers]

    deleted = browser.delete(f"/api/api-keys/{made['id']}")

    after = [statuses_of(caller) for caller in callers]
    assert before == [[200, 404]] * CONNECTIONS
    assert deleted.status_code == 200
    assert after == [[401, 401]] * CONNECTIONS
    assert browser.delete(f"/api/api-keys/{made['id']}").status_code == 404


def test_a_foreign_key_is_not_found(administration: Administration, browser: Caller) -> None:
    made = make(browser, preset="Read-only").json()
    other = administration.browser(administration.account("pro"))

    foreign = other.delete(f"/api/api-keys/{made['id']}")
    unknown = other.delete("/api/api-keys/key_nobody")

    assert (foreign.status_code, foreign.json()["code"]) == (404, "NOT_FOUND")
    assert (foreign.status_code, foreign.json()) == (unknown.status_code, unknown.json())


def test_every_key_may_poll_and_cancel_its_accounts_executions(
    administration: Administration,
) -> None:
    owner = administration.account("pro")
    writer = administration.with_key(administration.key(owner))
    execution_id = writer.start(writer.save(greeting()), {"name": "Ada"})
    writer.ended(execution_id)
    reader = administration.with_key(administration.key(owner, "webhook:receive"))

    assert reader.get(f"/api/executions/{execution_id}").status_code == 200
    assert reader.get("/api/executions").json()["rows"][0]["executionId"] == execution_id
    assert reader.post(f"/api/executions/{execution_id}/cancel").status_code == 409


def test_an_account_writes_and_runs_nothing_before_it_is_approved(
    administration: Administration,
) -> None:
    caller = administration.caller("pro", approved=False)

    for answer in (
        caller.create(greeting()),
        caller.put("/api/workflows/no-such", {"name": "x"}),
        caller.delete("/api/workflows/no-such"),
        caller.run("no-such", {"name": "Ada"}),
        caller.run("no-such", {"name": "Ada"}, "?async=true"),
        caller.client.post("/api/assets", content=png(), headers={"content-type": "image/png"}),
    ):
        assert answer.status_code == 403
        assert_fits(answer.json(), {"error": sentence, "code": "ACCOUNT_NOT_APPROVED"})
    assert caller.get("/api/workflows").status_code == 200
    assert caller.get("/api/whoami").json()["user"]["approved"] is False


def test_keys_of_an_account_that_moved_down_are_refused(administration: Administration) -> None:
    account = administration.account("business")
    caller = administration.with_key(administration.key(account, "model:run", "workflow:read"))

    administration.move(account, "free")

    answer = caller.get("/api/workflows")
    assert (answer.status_code, answer.json()["code"]) == (403, "API_KEY_ACCESS_DENIED")
    administration.move(account, "pro")
    assert caller.get("/api/workflows").status_code == 200
    administration.move(account, "free")
    browser = administration.browser(account)
    [row] = browser.get("/api/api-keys").json()
    assert browser.delete(f"/api/api-keys/{row['id']}").status_code == 200
