from pathlib import Path
from typing import Any, cast

import click
import pytest

from deploy.client.callers import WorkflowCaller
from deploy.client.triggers.settings import TriggerOptions, trigger_body
from deploy.output.problems import CommandFailed


class Workflow:
    """A workflow with a number, a text and an image, as its caller sees it."""

    async def field_types(self, slug: str) -> dict[str, str]:
        return {"count": "number", "name": "text", "photo": "image"}

    async def upload(self, file: Path) -> str:
        return f"asset of {file.name}"


async def body_of(**options: Any) -> dict[str, Any]:
    order = TriggerOptions(slug="report", **options)
    return await trigger_body(order, cast(WorkflowCaller, Workflow()))


async def test_a_schedule_has_inputs_by_the_types_of_their_fields(tmp_path: Path) -> None:
    (tmp_path / "cat.png").touch()
    inputs = ("count=3", "name=4", f"photo=@{tmp_path}/cat.png")

    body = await body_of(cron="0 7 * * *", inputs=inputs, timezone="Asia/Tokyo")

    assert body == {
        "kind": "schedule",
        "name": "report",
        "workflowSlug": "report",
        "cron": "0 7 * * *",
        "timezone": "Asia/Tokyo",
        "inputs": {"count": 3, "name": "4", "photo": "asset of cat.png"},
    }


async def test_the_webhook_of_a_trigger_has_events() -> None:
    told = {"webhook": "https://example.org", "webhook_secret": "a secret of the trigger"}

    body = await body_of(cron="@daily", **told, events=("execution.waiting",))

    assert body["webhook"] == {
        "url": "https://example.org",
        "secret": "a secret of the trigger",
        "events": ["execution.waiting"],
    }
    with pytest.raises(click.UsageError, match="--webhook-event needs --webhook"):
        await body_of(cron="@daily", events=("execution.waiting",))


async def test_an_inbound_webhook_has_expressions_for_its_inputs() -> None:
    body = await body_of(
        name="Bugs",
        verify="hmac",
        secret="SHOP",
        header="x-sign",
        inputs=("count=size(body.lines) == 1 ? 1 : 2", "name=body.name"),
        event_id="body.id",
    )

    assert body == {
        "kind": "webhook",
        "name": "Bugs",
        "workflowSlug": "report",
        "verify": {"kind": "hmac", "secret": "SHOP", "header": "x-sign"},
        "inputs": {"count": "size(body.lines) == 1 ? 1 : 2", "name": "body.name"},
        "eventId": "body.id",
    }


async def test_members_of_every_trigger_are_sent_where_they_are_given() -> None:
    body = await body_of(
        verify="none",
        version=3,
        max_credits=0,
        disabled=True,
        webhook="https://example.org/ends",
        webhook_secret="a secret of 16 characters",
    )

    assert body["version"] == 3
    assert body["max_credits"] == 0
    assert body["enabled"] is False
    assert body["webhook"] == {
        "url": "https://example.org/ends",
        "secret": "a secret of 16 characters",
    }
    assert body["verify"] == {"kind": "none"}
    assert not {"inputs", "when", "respond"} & body.keys()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "Name one of --cron"),
        ({"cron": "@daily", "verify": "none"}, "Name one of --cron"),
        ({"cron": "@daily", "when": "true"}, "--when needs --verify."),
        ({"cron": "@daily", "event_id": "body.id"}, "--event-id needs --verify."),
        ({"verify": "none", "timezone": "UTC"}, "--timezone needs --cron."),
        ({"verify": "none", "missed": "all"}, "--missed needs --cron."),
        ({"cron": "@daily", "webhook_secret": "x" * 16}, "--webhook-secret needs --webhook."),
    ],
)
def test_options_that_do_not_go_together_are_named(options: dict[str, Any], told: str) -> None:
    with pytest.raises(click.UsageError) as refused:
        TriggerOptions(slug="report", **options)

    assert refused.value.message.startswith(told)


@pytest.mark.parametrize("word", ["title", "=body.title", "title:=1"])
async def test_an_input_that_is_no_expression_is_refused(word: str) -> None:
    with pytest.raises(CommandFailed, match="write NAME=EXPRESSION"):
        await body_of(verify="none", inputs=(word,))
