"""Plans of changes, and the operations that they lead to, by the API."""

from copy import deepcopy

import pytest

from deploy.client.releases.publishing import plan_file, plan_publication
from deploy.client.workflows import AccountWorkflows, push
from deploy.output.problems import ApiRefused, CommandFailed
from tests.support.gateway.documents import greeting


def renamed(**members: object) -> dict[str, object]:
    """The greeting with another input, which breaks callers."""
    document = deepcopy(greeting(**members))
    document["nodes"][0]["data"]["fields"][0] |= {"name": "who"}
    document["edges"][0] |= {"sourceHandle": "who"}
    return document


async def test_a_file_is_compared_with_what_its_push_replaces(own: AccountWorkflows) -> None:
    new = await plan_file(own, greeting())
    await push(own, greeting())
    saved = await push(own, greeting(tags=["drafted"], draft=True))

    live = await plan_file(own, greeting(tags=["b"]))
    draft = await plan_file(own, greeting(tags=["b"], draft=True), "greeting")

    assert (new.slug, new.against, len(new.changes)) == (None, "nothing", 6)
    assert saved["into"] == "draft"
    assert (live.against, live.changes[0]["values"]["tags"]["from"]) == ("version 1", ())
    assert (draft.against, draft.changes[0]["values"]["tags"]["from"]) == (
        "the draft",
        ("drafted",),
    )
    assert (await plan_file(own, greeting())).changes == []


async def test_a_plan_tells_what_breaks_and_publishes_that_revision(own: AccountWorkflows) -> None:
    await push(own, greeting())
    with pytest.raises(CommandFailed, match="no draft"):
        await plan_publication(own, "greeting")
    await push(own, renamed(draft=True))

    plan = await plan_publication(own, "greeting")

    assert (plan.against, plan.revision, len(plan.breaking)) == ("version 1", 1, 2)
    await push(own, renamed(draft=True, tags=["later"]))
    with pytest.raises(ApiRefused, match="draft"):
        await own.publish("greeting", plan.revision, {"note": None, "force": True})
    published = await own.publish("greeting", 2, {"note": "A note", "force": True})
    assert published["version"] == 2
    restored = await own.restore("greeting", 1)
    versions = await own.versions("greeting")
    assert [(row["version"], row["isLive"]) for row in versions] == [
        *((3, True), (2, False), (1, False)),
    ]
    assert (restored["version"], versions[1]["note"]) == (3, "A note")
