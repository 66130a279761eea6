"""What commands find in the store of a stack."""

from collections.abc import Iterator

import pytest

from deploy.documents import push_workflow
from deploy.store_access import open_store
from engine.models.registry import use_saved
from engine.settings import Settings
from engine.store import Account, Store
from tests.gateway.factories import edge, node
from tests.manifests import manifest


@pytest.fixture(autouse=True)
def registry() -> Iterator[None]:
    yield
    use_saved(())


async def test_a_workflow_that_calls_a_saved_model_is_pushed(
    settings: Settings, store: Store, account: Account
) -> None:
    nodes = [node("m", "customModel", model="own", prompt="Hi"), node("out", "responseOutput")]
    edges = [edge("m", "text-out", "out", "result-in")]
    await store.models.create("own", manifest(), account.id)
    use_saved(())

    async with open_store(settings.redis_url, {"HEADRACE_SECRET_KEY": settings.secret_key}) as own:
        workflow = await push_workflow(
            own, account.id, {"name": "Own", "nodes": nodes, "edges": edges}
        )

    assert workflow.problems == ()
