"""End of a test run: all verdicts, and the results that its tests show from then on."""

import asyncio
from collections.abc import Sequence

from engine.executions.batches import ItemStatus
from engine.services.expressions import Expressions
from engine.services.workflow_tests import listed_tests as listed
from engine.services.workflow_tests.listed_tests import ListedOrder, ListedTest, read_test
from engine.services.workflow_tests.verdicts import CODES, VerdictOnTest, Verdicts
from engine.store import Batch, Store
from engine.store.batches.run_lists import NO_VERDICT
from engine.store.workflows.workflow_test_records import DraftVerdict, LastResult, WorkflowTest

MOST_SECONDS = 5.0
"""Time for verdicts in one call; one with endless expressions takes 2 seconds."""
AT_ONCE = 20
"""Tests that are read at once."""
FIELDS = (
    *(listed.NAMES, listed.JUDGED, listed.IS_WHOLE, listed.IS_FINISHED),
    *(listed.DRAFT_REVISION, listed.TESTS_REVISION),
)


async def finish_test_run(store: Store, expressions: Expressions, batch: Batch) -> bool:
    """Record the end of a test run that is over; the call may be repeated.

    Returns False after MOST_SECONDS, when further calls go on with its verdicts. Whoever feeds the
    list calls it, and a reader that is earlier: then a publish knows of the run as soon as it is
    shown as over. Raises StorageFailed or Unavailable.
    """
    ids = batch.account_id, batch.id
    facts = await store.lists.facts(*ids, *FIELDS)
    if listed.IS_FINISHED in facts or listed.NAMES not in facts:
        return True
    codes = await Verdicts(store, expressions).complete(batch, MOST_SECONDS)
    if NO_VERDICT in codes:
        return False
    order = ListedOrder.of(facts)
    cancelled = ItemStatus.CANCELLED.code
    ran = [i for i in range(len(order.names)) if batch.states[i] != cancelled]
    failed = sum(codes[index] != VerdictOnTest.PASSED.code for index in ran)
    verdict, is_whole = None, listed.IS_WHOLE in facts and len(ran) == len(order.names)
    # A run of some tests lets no draft pass, but a failure stops it.
    if listed.DRAFT_REVISION in facts and (is_whole or failed):
        verdict = DraftVerdict(
            at=batch.created_at,
            draft_revision=int(facts[listed.DRAFT_REVISION]),
            tests_revision=int(facts[listed.TESTS_REVISION]),
            failed=failed,
            total=len(ran),
            test_run_id=batch.id,
        )
    results = await _read_results(store, batch, ran, codes)
    account_id, slug = batch.account_id, batch.slug
    await store.workflow_tests.record_run(account_id, slug, batch.created_at, results, verdict)
    await store.account_events.record_workflow(account_id, slug)
    await store.lists.note(*ids, listed.IS_FINISHED)
    await store.lists.drop(*ids, listed.DRAFT)
    return True


async def _read_results(
    store: Store, batch: Batch, indexes: Sequence[int], codes: str
) -> list[tuple[str, WorkflowTest, LastResult]]:
    """Return the results of these tests; those that are not there any more have none."""
    results = []
    for start in range(0, len(indexes), AT_ONCE):
        some = indexes[start : start + AT_ONCE]
        tests = await asyncio.gather(*(_find(store, batch, index) for index in some))
        for index, found in zip(some, tests, strict=True):
            if found is not None:
                last = LastResult(
                    test_run_id=batch.id,
                    verdict=CODES[codes[index]].value,
                    version=batch.version,
                    at=batch.created_at,
                )
                results.append((found.name, found.test, last))
    return results


async def _find(store: Store, batch: Batch, index: int) -> ListedTest | None:
    try:
        return await read_test(store, batch.account_id, batch.id, index)
    except FileNotFoundError:
        return None
