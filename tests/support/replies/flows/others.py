"""Approvals, triggers and media."""

from tests.support.factories import Graph, greeting
from tests.support.http.target import PNG
from tests.support.replies.flows.graphs import asking_person
from tests.support.replies.installation import Actor

IMAGE = {"name": "picture", "label": "Picture", "type": "image"}


async def approvals(actor: Actor) -> None:
    """Answer an approval."""
    slug = await actor.save(asking_person().body())
    execution_id = await actor.start(slug, {"who": "Ada"})
    await actor.until(execution_id, lambda found: found["waitingFor"])
    path = f"/api/executions/{execution_id}/approvals/ask"
    await actor.ask("POST", path, {"decision": "approve"}, status=(200, 409))
    assert (await actor.end(execution_id))["status"] == "completed"


async def events(actor: Actor) -> None:
    """Make an inbound webhook, send it events, rotate and delete it."""
    slug = await actor.save(greeting().body())
    body = {
        "kind": "webhook",
        "name": "Events",
        "workflowSlug": slug,
        "verify": {"kind": "none"},
        "eventId": "body.id",
    }
    made = await actor.ask("POST", "/api/triggers", body, status=201)
    url = made["url"].partition("/hooks/")[2]
    event = {"who": "Ada", "id": "event-1"}
    await actor.ask("PATCH", f"/api/triggers/{made['id']}", {"when": "body.id != 'event-0'"})
    await actor.ask("POST", f"/hooks/{url}", {"who": "Eve", "id": "event-0"}, status=(200, 202))
    for _ in range(2):
        await actor.ask("POST", f"/hooks/{url}", event, status=(200, 202))
    await actor.ask("POST", f"/api/triggers/{made['id']}/rotate")
    await actor.ask("GET", f"/api/triggers/{made['id']}/occurrences")
    await actor.ask("DELETE", f"/api/triggers/{made['id']}", status=(200, 404))


async def media(actor: Actor) -> None:
    """Bring and delete a picture."""
    files = {"file": ("a.png", PNG, "image/png")}
    made = await actor.ask("POST", "/api/assets", files=files, status=201)
    graph = Graph().node("in", "requestInput", fields=[IMAGE]).node("out", "responseOutput")
    slug = await actor.save(graph.wire("in.picture > out.result-in").body())
    await actor.end(await actor.start(slug, {"picture": made["url"]}))
    await actor.ask("DELETE", f"/api/assets/{made['id']}", status=(200, 404))
    await actor.ask("POST", "/api/assets", files=files, status=201)
