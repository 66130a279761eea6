"""Settings of triggers that are refused."""

from typing import Any

import pytest

from tests.support.contract.installation import Administration, Caller, field, form, workflow
from tests.support.contract.triggers import (
    PATH,
    SECRET,
    at,
    greeting,
    hook,
    invalid,
    make,
    refused,
    schedule,
)
from tests.support.gateway.documents import edge, node
from tests.support.media.files import png

UNSET: Any = object()


@pytest.mark.parametrize(
    ("members", "name"),
    [
        ({"kind": UNSET}, "kind"),
        ({"kind": "cron"}, "kind"),
        ({"name": UNSET}, "name"),
        ({"name": ""}, "name"),
        ({"name": "  "}, "name"),
        ({"name": "a" * 101}, "name"),
        ({"workflowSlug": UNSET}, "workflowSlug"),
        ({"workflowSlug": "Not A Slug"}, "workflowSlug"),
        ({"workflowSlug": "contract-nothing"}, "workflowSlug"),
        ({"version": 7}, "version"),
        ({"version": "1"}, "version"),
        ({"version": 0}, "version"),
        ({"enabled": "yes"}, "enabled"),
        ({"enabled": None}, "enabled"),
        ({"max_credits": -1}, "max_credits"),
        ({"max_credits": "1"}, "max_credits"),
        ({"maxCredits": 1}, "maxCredits"),
        ({"other": 1}, "other"),
        ({"cron": UNSET}, "cron"),
        ({"cron": "* * * * * *"}, "cron"),
        ({"cron": "@minutely"}, "cron"),
        ({"cron": "61 * * * *"}, "cron"),
        ({"cron": None}, "cron"),
        ({"timezone": "Mars/Base"}, "timezone"),
        ({"timezone": None}, "timezone"),
        ({"inputs": {}}, "inputs.name"),
        ({"inputs": {"name": 5}}, "inputs.name"),
        ({"inputs": {"name": "Ada", "unknown": 1}}, "inputs.unknown"),
        ({"inputs": "Ada"}, "inputs"),
        ({"inputs": None}, "inputs"),
        ({"overlap": "queue"}, "overlap"),
        ({"missed": "none"}, "missed"),
        ({"verify": {"kind": "none"}}, "verify"),
        ({"when": "true"}, "when"),
        ({"eventId": "body.id"}, "eventId"),
        ({"respond": "result"}, "respond"),
    ],
)
def test_a_wrong_setting_of_a_schedule_is_refused(
    owner: Caller, slug: str, members: dict[str, Any], name: str
) -> None:
    body = {key: value for key, value in schedule(slug, **members).items() if value is not UNSET}

    invalid(owner.post(PATH, body), name)
    assert owner.get(PATH).json()["rows"] == []


@pytest.mark.parametrize(
    ("members", "name"),
    [
        ({"verify": UNSET}, "verify"),
        ({"verify": "none"}, "verify"),
        ({"verify": {}}, "verify.kind"),
        ({"verify": {"kind": "gitlab"}}, "verify.kind"),
        ({"verify": {"kind": "none", "secret": "SIGNING"}}, "verify.secret"),
        ({"verify": {"kind": "github"}}, "verify.secret"),
        ({"verify": {"kind": "github", "secret": "MISSING"}}, "verify.secret"),
        ({"verify": {"kind": "github", "secret": "lower"}}, "verify.secret"),
        ({"verify": {"kind": "github", "secret": "SIGNING", "header": "x-a"}}, "verify.header"),
        ({"verify": {"kind": "bearer", "secret": "SIGNING", "prefix": "a"}}, "verify.prefix"),
        ({"verify": {"kind": "slack", "secret": "SIGNING", "encoding": "hex"}}, "verify.encoding"),
        ({"verify": {"kind": "hmac", "secret": "SIGNING", "encoding": "x"}}, "verify.encoding"),
        ({"verify": {"kind": "hmac", "secret": "SIGNING", "header": "a b"}}, "verify.header"),
        ({"verify": {"kind": "none", "other": 1}}, "verify.other"),
        ({"when": "body."}, "when"),
        ({"when": "unknown == 1"}, "when"),
        ({"when": "value == 1"}, "when"),
        ({"when": 5}, "when"),
        ({"inputs": {"name": "body."}}, "inputs.name"),
        ({"inputs": {"name": 5}}, "inputs.name"),
        ({"inputs": {"name": "body.name", "unknown": "1"}}, "inputs.unknown"),
        ({"inputs": {"mark": "body.mark"}}, "inputs.name"),
        ({"eventId": "body..id"}, "eventId"),
        ({"respond": "later"}, "respond"),
        ({"cron": "@daily"}, "cron"),
        ({"timezone": "UTC"}, "timezone"),
        ({"overlap": "skip"}, "overlap"),
        ({"missed": "last"}, "missed"),
    ],
)
def test_a_wrong_setting_of_an_inbound_webhook_is_refused(
    owner: Caller, slug: str, members: dict[str, Any], name: str
) -> None:
    body = {key: value for key, value in hook(slug, **members).items() if value is not UNSET}

    invalid(owner.post(PATH, body), name)
    assert owner.get(PATH).json()["rows"] == []


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"cron": "* * * *"}, "cron"),
        ({"timezone": "Nowhere"}, "timezone"),
        ({"inputs": {"name": 5}}, "inputs.name"),
        ({"workflowSlug": "contract-nothing"}, "workflowSlug"),
        ({"version": 9}, "version"),
        ({"when": "true"}, "when"),
        ({"id": "trg_000000000000"}, "id"),
    ],
)
def test_a_wrong_change_is_refused_and_changes_nothing(
    owner: Caller, slug: str, changes: dict[str, Any], name: str
) -> None:
    made = make(owner, schedule(slug))

    invalid(owner.patch(at(made), {"name": "Other", **changes}), name)
    assert owner.get(at(made)).json() == made


@pytest.mark.parametrize("body", [[], "text", 5, None])
def test_a_body_is_an_object(owner: Caller, body: Any) -> None:
    refused(owner.post(PATH, body), 400, "INVALID_BODY")


def test_a_workflow_that_cannot_run_is_refused(owner: Caller) -> None:
    nodes = [node("a", "nothing")]
    draft = {"name": "Draft", "nodes": nodes, "edges": [], "draft": True}
    slug = owner.create(draft).json()["slug"]

    invalid(owner.post(PATH, schedule(slug, inputs={})), "workflowSlug")


def test_someone_else_s_workflow_is_refused_unless_it_is_public(
    owner: Caller, stranger: Caller
) -> None:
    slug = stranger.save(greeting())
    invalid(owner.post(PATH, schedule(slug)), "workflowSlug")

    stranger.put(f"/api/workflows/{slug}", {"publicPlayground": True})

    assert make(owner, schedule(slug))["workflowSlug"] == slug
    invalid(owner.post(PATH, schedule(slug, version=1)), "workflowSlug")
    stranger.clean()


def test_settings_over_64_kib_are_refused(owner: Caller, slug: str) -> None:
    reason = invalid(owner.post(PATH, schedule(slug, inputs={"name": "a" * 70_000})), "inputs")
    assert reason == "All settings together take at most 65536 bytes"
    assert make(owner, schedule(slug, inputs={"name": "a" * 60_000}))


def test_a_trigger_without_its_workflow_or_its_secret_can_be_paused_and_renamed(
    owner: Caller, slug: str
) -> None:
    owner.put("/api/secrets/GONE", {"value": SECRET})
    made = make(owner, hook(slug, verify={"kind": "github", "secret": "GONE"}))
    owner.delete("/api/secrets/GONE")
    owner.delete(f"/api/workflows/{slug}")

    paused = owner.patch(at(made), {"enabled": False, "name": "Paused"})

    assert paused.status_code == 200, paused.text
    assert (paused.json()["enabled"], paused.json()["name"]) == (False, "Paused")


def test_a_schedule_may_name_an_asset_of_the_account(owner: Caller, stranger: Caller) -> None:
    nodes = [form(field("photo", "image", required=True)), node("out", "responseOutput")]
    slug = owner.save(workflow(nodes, [edge("in", "photo", "out", "result-in")]))
    file = {"file": ("a.png", png(3, 2), "image/png")}
    own, foreign = (
        each.request("POST", "/api/assets", files=file).json()["id"] for each in (owner, stranger)
    )

    made = make(owner, schedule(slug, inputs={"photo": own}))

    assert made["inputs"] == {"photo": own}
    ended = owner.ended(owner.post(at(made, "/run")).json()["executionId"])
    assert ended["status"] == "completed"
    for other in (foreign, "Zr0sQm9yXk1dWc7uT2eHbL5a"):
        invalid(owner.post(PATH, schedule(slug, inputs={"photo": other})), "inputs.photo")
    stranger.delete(f"/api/assets/{foreign}")


class TestWebhook:
    """The outbound webhook of a trigger."""

    URL = "https://example.com/in"

    def test_it_is_shown_without_its_secret(self, owner: Caller, slug: str) -> None:
        events = ["execution.failed"]
        webhook = {"url": self.URL, "secret": SECRET, "events": events}

        answer = owner.post(PATH, schedule(slug, webhook=webhook))

        assert answer.json()["webhook"] == {"url": self.URL, "events": events}
        assert SECRET not in answer.text + owner.get(PATH).text

    def test_null_takes_it_away(self, owner: Caller, slug: str) -> None:
        made = make(owner, schedule(slug, webhook={"url": self.URL, "secret": SECRET}))

        assert "webhook" not in owner.patch(at(made), {"webhook": None}).json()

    def test_its_secret_stays_at_its_origin_alone(self, owner: Caller, slug: str) -> None:
        made = make(owner, schedule(slug, webhook={"url": self.URL, "secret": SECRET}))

        moved = owner.patch(at(made), {"webhook": {"url": f"{self.URL}/2"}})
        other = owner.patch(at(made), {"webhook": {"url": "https://example.org/in"}})

        assert moved.json()["webhook"] == {"url": f"{self.URL}/2"}
        assert refused(other, 400, "INVALID_WEBHOOK")["field"] == "webhook.secret"

    @pytest.mark.parametrize(
        ("webhook", "name"),
        [
            ({"url": URL}, "webhook.secret"),
            ({"url": URL, "secret": "short"}, "webhook.secret"),
            ({"url": "ftp://example.com", "secret": SECRET}, "webhook.url"),
            ({"secret": SECRET}, "webhook.url"),
            ({"url": URL, "secret": SECRET, "events": ["x"]}, "webhook.events"),
            ({"url": URL, "secret": SECRET, "other": 1}, "webhook.other"),
            ("text", "webhook"),
        ],
    )
    def test_a_wrong_one_is_refused(
        self, owner: Caller, slug: str, webhook: Any, name: str
    ) -> None:
        body = refused(owner.post(PATH, schedule(slug, webhook=webhook)), 400, "INVALID_WEBHOOK")

        assert body["field"] == name

    def test_a_key_needs_to_receive_webhooks(self, administration: Administration) -> None:
        account = administration.account("pro")
        slug = administration.browser(account).save(greeting())
        webhook = {"url": self.URL, "secret": SECRET}
        caller = administration.with_key(
            administration.key(account, "workflow:run", "workflow:write")
        )

        body = refused(caller.post(PATH, schedule(slug, webhook=webhook)), 403, "CAPABILITY_DENIED")

        assert body["required"] == "webhook:receive"
