"""Runs of workflows and models, their webhooks, and their ends."""

from tests.support.factories import greeting
from tests.support.replies.flows.graphs import asking_model, asking_person, calling_target
from tests.support.replies.installation import Actor


async def paid_run(actor: Actor) -> None:
    """Run a workflow with a model, wait for the answer, and ask for it again."""
    slug = await actor.save(asking_model().body())
    path, body = f"/api/workflows/{slug}/run", {"inputs": {"who": "Ada"}}
    headers = {"idempotency-key": "order-7"}
    first = await actor.ask("POST", path, body, headers=headers)
    again = await actor.ask("POST", path, body, headers=headers)
    assert (first["executionId"], first["cost"]) == (again["executionId"], 12)
    await actor.ask("POST", "/api/models/own/run", {"inputs": {"prompt": "Ada"}})
    await actor.ask("GET", "/api/me", by=actor.browser)


async def pure_run(actor: Actor) -> None:
    """Run a workflow that ends at once."""
    slug = await actor.save(greeting().body())
    await actor.ask("POST", f"/api/workflows/{slug}/run", {"inputs": {"who": "Ada"}})


async def told_run(actor: Actor) -> None:
    """Run without waiting, with calls of a server, and be told of the end."""
    await actor.set_webhook()
    slug = await actor.save(calling_target(actor.target()).body())
    execution_id = await actor.start(slug, {"who": "Ada"})
    await actor.end(execution_id)
    await actor.told(1)


async def cancelled_run(actor: Actor) -> None:
    """Cancel a run that waits for an approval, and one that calls a server."""
    waiting = await actor.start(await actor.save(asking_person().body()), {"who": "Ada"})
    await actor.until(waiting, lambda found: found["waitingFor"])
    url = actor.target("/slow/30")
    calling = await actor.start(await actor.save(calling_target(url).body()), {"who": "Ada"})
    await actor.called("/slow/30")
    for execution_id in (waiting, calling):
        path = f"/api/executions/{execution_id}/cancel"
        await actor.ask("POST", path, status=(200, 202, 409))
        await actor.end(execution_id)


async def retried_run(actor: Actor) -> None:
    """Run again from the failed node."""
    url = actor.target("/flaky/1")
    slug = await actor.save(calling_target(url).body())
    failed = await actor.end(await actor.start(slug, {"who": "Ada"}))
    assert failed["status"] == "failed"
    path = f"/api/executions/{failed['executionId']}/retry"
    answer = await actor.ask("POST", path, status=(200, 202))
    await actor.end(answer["executionId"])


async def left_run(actor: Actor) -> None:
    """Wait for a run until the time is over, and be told of its end."""
    await actor.set_webhook()
    slug = await actor.save(calling_target(actor.target("/slow/0.3")).body())
    path = f"/api/workflows/{slug}/run?timeout=0.1"
    answer = await actor.ask("POST", path, {"inputs": {"who": "Ada"}}, status=202)
    await actor.end(answer["executionId"])
    await actor.told(1)


async def watched_run(actor: Actor) -> None:
    """Watch a run by its events, to the last one."""
    slug = await actor.save(calling_target(actor.target("/slow/0.2")).body())
    execution_id = await actor.start(slug, {"who": "Ada"})
    answer = await actor.ask("GET", f"/api/executions/{execution_id}/events")
    assert "completed" in answer.text, answer.text


async def public_run(actor: Actor) -> None:
    """Run a public workflow of one's own and as another account."""
    slug = await actor.save({**greeting().body(), "publicPlayground": True})
    path, body = f"/api/workflows/{slug}/run", {"inputs": {"who": "Ada"}}
    for browser in (actor.browser, actor.admin):
        await actor.ask("POST", path, body, by=browser)


async def redelivered_end(actor: Actor) -> None:
    """Be told of an end again."""
    await actor.set_webhook()
    slug = await actor.save(greeting().body())
    await actor.end(await actor.start(slug, {"who": "Ada"}))
    await actor.told(1)
    path = f"/api/api-keys/{actor.key_id}/webhook"
    listed = await actor.until_rows(f"{path}/deliveries", "delivered", by=actor.browser)
    again = f"{path}/deliveries/{listed[0]['id']}/redeliver"
    await actor.ask("POST", again, by=actor.browser, status=(200, 202))
    await actor.until_rows(f"{path}/deliveries", "delivered", by=actor.browser)
    await actor.ask("POST", f"{path}/test", by=actor.browser, status=(200, 202))
    await actor.told(2)


async def many_cancelled(actor: Actor) -> None:
    """Cancel all runs of a workflow at once."""
    slug = await actor.save(asking_person().body())
    for name in ("Ada", "Eve"):
        execution_id = await actor.start(slug, {"who": name})
        await actor.until(execution_id, lambda found: found["waitingFor"])
    await actor.ask("POST", "/api/executions/cancel", {"workflowSlug": slug}, status=(200, 202))
    await actor.end(execution_id)
