"""Children, batches, replays and tests of workflows."""

from tests.support.eventually import eventually
from tests.support.factories import greeting
from tests.support.replies.flows.graphs import (
    asking_model,
    asking_person,
    calling,
    each_item,
    picky,
)
from tests.support.replies.installation import Actor


async def children(actor: Actor) -> None:
    """Run a child for each item, of which one fails, and another workflow."""
    slug = await actor.save(each_item(picky(), onItemError="null", concurrency=1).body())
    found = await actor.end(await actor.start(slug, {"items": ["1", "3", "no"]}))
    assert found["status"] == "completed", found
    pure = await actor.save(each_item(greeting()).body())
    await actor.end(await actor.start(pure, {"items": ["Ada", "Eve"]}))
    inner = await actor.save(asking_model().body())
    outer = await actor.save(calling(inner).body())
    assert (await actor.end(await actor.start(outer, {"who": "Ada"})))["status"] == "completed"


async def batch(actor: Actor) -> None:
    """Run a batch to its end with a webhook, and cancel another."""
    slug = await actor.save(asking_model().body())
    body = {
        "items": [{"inputs": {"who": name}} for name in ("Ada", "Eve", "Bob")],
        "webhook": {"url": actor.hook(), "secret": "a secret of the batch's own"},
    }
    begun = await actor.ask("POST", f"/api/workflows/{slug}/batch", body, status=202)
    await actor.over(begun["pollUrl"])
    await actor.told(1)


async def replay(actor: Actor) -> None:
    """Replay a run on the draft."""
    slug = await actor.save(greeting().body())
    run = await actor.ask("POST", f"/api/workflows/{slug}/run", {"inputs": {"who": "Ada"}})
    body = {"against": 1, "executionIds": [run["executionId"]]}
    begun = await actor.ask("POST", f"/api/workflows/{slug}/replay", body, status=202)
    await actor.over(f"/api/replays/{begun['replayId']}")


async def workflow_tests(actor: Actor) -> None:
    """Save tests, run them, and delete one."""
    slug = await actor.save(greeting().body())
    path = f"/api/workflows/{slug}/tests"
    test = {"inputs": {"who": "Ada"}, "expect": ['result.text == "Hello Ada"']}
    await actor.ask("PUT", f"{path}/greets", test, status=(200, 201))
    await actor.ask("PUT", f"{path}/greets-again", test, status=(200, 201))
    begun = await actor.ask("POST", f"{path}/run", {}, status=202)
    await actor.over(begun["pollUrl"])
    await actor.ask("DELETE", f"{path}/greets-again", status=(200, 404))


async def cancelled_lists(actor: Actor) -> None:
    """Cancel a batch, and a run whose children wait for people."""
    slug = await actor.save(asking_person().body())
    body = {"items": [{"inputs": {"who": name}} for name in ("Ada", "Eve")]}
    begun = await actor.ask("POST", f"/api/workflows/{slug}/batch", body, status=202)
    await eventually(
        lambda: actor.ask("GET", begun["pollUrl"]), lambda found: found["counts"]["processing"] == 2
    )
    await actor.ask("POST", f"{begun['pollUrl']}/cancel", status=(200, 202, 409))
    await actor.over(begun["pollUrl"])
    outer = await actor.save(each_item(asking_person()).body())
    execution_id = await actor.start(outer, {"items": ["1", "2"]})
    await actor.until(execution_id, lambda found: len(found["waitingFor"]) == 2)
    path = f"/api/executions/{execution_id}/cancel"
    await actor.ask("POST", path, status=(200, 202, 409))
    await actor.end(execution_id)


async def refused_items(actor: Actor) -> None:
    """Run a batch of which an item is refused, and children of which one is."""
    graph = asking_model()
    graph.nodes[0]["data"]["fields"][0]["maxLength"] = 5
    slug = await actor.save(graph.body())
    body = {"items": [{"inputs": {"who": name}} for name in ("Ada", "Ada Lovelace")]}
    begun = await actor.ask("POST", f"/api/workflows/{slug}/batch", body, status=(202, 400))
    if "pollUrl" in begun:
        await actor.over(begun["pollUrl"])
    outer = await actor.save(each_item(graph, onItemError="null", concurrency=1).body())
    await actor.end(await actor.start(outer, {"items": ["Ada", "Ada Lovelace"]}))
