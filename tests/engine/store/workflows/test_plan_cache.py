from dataclasses import replace

from engine.store import Account, Store
from engine.store.workflows.plan_cache import PlanCache
from tests.support.store.records import document


async def test_a_cached_plan_has_no_data_of_the_canvas(store: Store, account: Account) -> None:
    cache = PlanCache()
    editor = {"groups": ["x" * 10_000]}
    plain = await store.workflows.create(account.id, document(), [])
    saved = await store.workflows.create(account.id, document(editor=editor), [])

    cached, plan = cache.remember(saved)

    assert plan is not None
    assert cached.document == replace(saved.document, editor={})
    assert cached.size < plain.size * 1.5
    assert cache.known(saved.slug, 1) == (cached, plan)
    assert (await store.workflows.get(saved.slug)).document.editor == editor
