"""Saves of tests: written within the quota, with the media that they name kept."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import structs

from engine.errors import EngineError
from engine.media.ids import is_asset_id
from engine.services.expressions import Expressions
from engine.services.workflow_tests.parse_tests import parse_tests
from engine.store import Store, Workflow
from engine.store.schema import RELEASES_SCHEMA
from engine.store.workflows.workflow_test_records import WorkflowTest
from engine.store.workflows.workflow_tests import NOUN

MEMBER = "tests"
"""Member of a document with the tests of its workflow."""


async def save_tests(
    store: Store,
    account_id: str,
    slug: str,
    tests: Mapping[str, WorkflowTest],
    *,
    replaces: bool = False,
) -> None:
    """Write checked tests, and keep the account's assets that they name as long as the workflow.

    With `replaces` the workflow has no others afterwards. Raises WorkflowNotFound, QuotaExceeded,
    and Unavailable while the store's schema is old.
    """
    await store.workflow_tests.write(account_id, slug, tests, replaces=replaces)
    named = named_assets(tests)
    await asyncio.gather(
        *(store.assets.retain_for_workflow(account_id, each, slug) for each in named),
        store.account_events.record_workflow(account_id, slug),
    )


async def save_new_tests(
    store: Store, workflow: Workflow, tests: Mapping[str, WorkflowTest] | None
) -> None:
    """Write the tests of a new workflow, which is deleted where they cannot be written.

    Raises QuotaExceeded.
    """
    if not tests:
        return
    try:
        await save_tests(store, workflow.account_id, workflow.slug, tests)
    except EngineError:
        await store.workflows.delete(workflow.account_id, workflow.slug, force=True)
        raise


async def tests_of(
    body: Mapping[str, Any], store: Store, account_id: str, expressions: Expressions
) -> Mapping[str, WorkflowTest] | None:
    """Return the tests that a document's body has; None where it leaves them out.

    Raises what `parse_tests` raises, and Unavailable while the store's schema is old.
    """
    if body.get(MEMBER) is None:
        return None
    tests = await parse_tests(body[MEMBER], account_id, expressions)
    if tests:
        store.schema.require(RELEASES_SCHEMA, NOUN)
    return tests


def named_assets(tests: Mapping[str, WorkflowTest]) -> set[str]:
    """Return the ids of assets among the inputs and the pinned outputs of tests."""
    return {each for test in tests.values() for each in _texts(test) if is_asset_id(each)}


def with_replaced(
    test: WorkflowTest, names: Mapping[str, str], slugs: Mapping[str, str]
) -> WorkflowTest:
    """Return the test with other assets, by the former id, and another judge, by its slug."""
    judge = test.judge
    if judge is not None:
        judge = structs.replace(judge, workflow=slugs.get(judge.workflow, judge.workflow))
    return structs.replace(
        test,
        inputs=_replaced(test.inputs, names),
        pinned=_replaced(test.pinned, names),
        judge=judge,
    )


def _texts(test: WorkflowTest) -> Iterator[str]:
    """Yield the texts among the inputs and the pinned outputs of a test."""
    pending: list[Any] = [test.inputs, test.pinned]
    while pending:
        value = pending.pop()
        if isinstance(value, Mapping):
            pending += value.values()
        elif isinstance(value, list):
            pending += value
        elif isinstance(value, str):
            yield value


def _replaced(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {name: _replaced(each, names) for name, each in value.items()}
    if isinstance(value, list):
        return [_replaced(each, names) for each in value]
    return names.get(value, value) if isinstance(value, str) else value
