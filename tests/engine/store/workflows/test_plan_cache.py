from dataclasses import replace

from engine.graph.document import parse_document
from engine.models.registry import use_models
from engine.store import Account, Store
from engine.store.workflows.plan_cache import PlanCache
from tests.support.factories import Graph
from tests.support.graphs.nested import each_row
from tests.support.manifests import model
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


async def test_a_plan_with_models_in_a_body_is_compiled_anew_when_they_may_have_changed(
    store: Store, account: Account
) -> None:
    cache = PlanCache()
    asking = Graph("row").node("ask", "customModel", model="own").node("out", "responseOutput")
    asking.wire("in.row > ask.prompt-in", "ask.text-out > out.result-in")
    with use_models([model()]):
        nested = parse_document(each_row(asking).body())
        plain = parse_document(each_row().body())
        saved = [await store.workflows.create(account.id, each, []) for each in (nested, plain)]
        for each in saved:
            cache.remember(each)
        assert all(cache.known(each.slug, 1) for each in saved)

    with_model, without = (cache.known(each.slug, 1) for each in saved)

    assert with_model is None
    assert without is not None
