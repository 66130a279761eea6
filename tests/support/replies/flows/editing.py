"""Edits of workflows: drafts, versions, deletes, aliases and canaries."""

from tests.support.eventually import eventually
from tests.support.factories import greeting
from tests.support.replies.flows.graphs import picky
from tests.support.replies.installation import Actor


async def edits(actor: Actor) -> None:
    """Save, draft, publish, discard, delete and restore a workflow."""
    slug = await actor.save(greeting().body())
    path = f"/api/workflows/{slug}"
    await actor.ask("PUT", path, greeting(2).body())
    await actor.ask("PUT", f"{path}/draft", greeting(3).body())
    await actor.ask("POST", f"{path}/publish", {})
    await actor.ask("PUT", f"{path}/draft", greeting(1).body())
    await actor.ask("DELETE", f"{path}/draft", status=(200, 404))
    await actor.ask("PUT", path, {"name": "Test workflow", "description": "told"})
    await actor.ask("DELETE", path, status=(200, 404))
    await actor.ask("POST", f"{path}/restore", status=(200, 409))


async def releases(actor: Actor) -> None:
    """Set an alias, publish a canary, promote it, set another and delete the alias."""
    slug = await actor.save(greeting().body())
    path = f"/api/workflows/{slug}"
    await actor.ask("PUT", path, greeting(2).body())
    await actor.ask("PUT", f"{path}/aliases/stable", {"version": 1})
    await actor.ask("PUT", f"{path}/draft", greeting(3).body())
    await actor.ask("POST", f"{path}/publish", {"canary": {"percent": 99}})
    await actor.ask("POST", f"{path}/aliases/live/promote", {})
    await actor.ask("DELETE", f"{path}/aliases/stable", status=(200, 404))


async def rolled_back_canary(actor: Actor) -> None:
    """Fail the run of a canary, which is taken back."""
    slug = await actor.save(greeting().body())
    path = f"/api/workflows/{slug}"
    await actor.ask("PUT", f"{path}/draft", picky().body())
    rule = {"percent": 99, "minRuns": 1, "maxErrorRate": 0.1}
    await actor.ask("POST", f"{path}/publish", {"canary": rule, "force": True})
    await actor.end(await actor.start(slug, {"who": "Ada"}))
    await eventually(
        lambda: actor.ask("GET", f"{path}/aliases"),
        lambda found: not any(row["canary"] for row in found["rows"]),
    )
