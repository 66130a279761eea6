"""Expressions of inbound webhooks, evaluated in a real child process."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from engine.process.pool import Pool, PoolCrashed, PoolTimeout
from engine.services import expressions as module
from engine.services.expressions import Expressions
from engine.services.triggers.event_expressions import (
    EventVerdict,
    check_expressions,
    judge_event,
)
from engine.triggers.trigger import HookSettings, Verify, VerifyKind
from tests.support.eventually import PATIENCE_SECONDS

BODY = {"action": "opened", "issue": {"title": "It breaks", "number": 7}}


@pytest.fixture
async def expressions(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Expressions]:
    for name in ("CHECK_SECONDS", "WAIT_SECONDS"):
        monkeypatch.setattr(module, name, PATIENCE_SECONDS)
    expressions = Expressions()
    yield expressions
    await expressions.close()


def hook(**settings: Any) -> HookSettings:
    return HookSettings(verify=Verify(kind=VerifyKind.NONE), **settings)


async def judge(
    expressions: Expressions, settings: HookSettings, body: Any = BODY, **more: Any
) -> EventVerdict:
    values = {"body": body, "headers": {"x-event": "issues"}, "query": {}, "method": "POST"}
    return await judge_event(expressions, "a", settings, values, "default", **more)


async def test_without_expressions_the_body_is_the_inputs(expressions: Expressions) -> None:
    found = await judge(expressions, hook())

    assert (found.is_wanted, found.inputs, found.event_id) == (True, BODY, "default")
    assert (await judge(expressions, hook(), [1])).inputs == {}
    assert (await judge(expressions, hook(inputs={}))).inputs == {}
    assert expressions._pool is None


async def test_expressions_see_body_headers_query_and_method(expressions: Expressions) -> None:
    settings = hook(
        when="body.action == 'opened' && method == 'POST' && size(query) == 0",
        inputs={"title": "body.issue.title", "number": "body.issue.number"},
        event_id="headers['x-event'] + '/' + string(body.issue.number)",
    )

    found = await judge(expressions, settings)

    assert found == EventVerdict(
        is_wanted=True,
        inputs={"title": "It breaks", "number": 7},
        event_id="issues/7",
        problems=[],
    )


async def test_an_event_that_is_not_wanted(expressions: Expressions) -> None:
    settings = hook(when="body.action == 'closed'", inputs={"title": "body.issue.title"})

    assert not (await judge(expressions, settings)).is_wanted
    thorough = await judge(expressions, settings, is_thorough=True)
    assert (thorough.is_wanted, thorough.inputs) == (False, {"title": "It breaks"})


async def test_problems_name_the_setting(expressions: Expressions) -> None:
    settings = hook(when="body.none", inputs={"a": "body.no", "b": "1"}, event_id="1")

    found = await judge(expressions, settings, is_thorough=True)

    assert [each.name for each in found.problems] == ["when", "inputs.a", "eventId"]
    assert (found.inputs, found.event_id) == ({"b": 1}, None)
    nul = await judge(expressions, hook(inputs={"a": "1"}), "\x00")
    assert [each.name for each in nul.problems] == ["inputs.a"]


@pytest.mark.parametrize("text", ["null", "''"])
async def test_an_id_may_be_left_out(expressions: Expressions, text: str) -> None:
    found = await judge(expressions, hook(event_id=text))

    assert (found.event_id, found.problems) == (None, [])


class FailingPool(Pool):
    """A pool whose calls fail."""

    def __init__(self, failure: Exception) -> None:
        super().__init__(slots=1)
        self.failure = failure

    async def start(self) -> None:
        pass

    async def run(self, *_: Any, **__: Any) -> Any:
        raise self.failure


@pytest.mark.parametrize(
    ("failure", "reason"),
    [(PoolTimeout(), "did not end within 2 s"), (PoolCrashed(), "more memory")],
)
async def test_expressions_over_their_limits_are_a_problem(failure: Exception, reason: str) -> None:
    expressions = Expressions(lambda: FailingPool(failure))

    found = await judge(expressions, hook(when="true", inputs={"a": "1"}))

    assert [each.name for each in found.problems] == ["when"]
    assert reason in found.problems[0].reason
    await expressions.close()


async def test_faults_are_found_at_save(expressions: Expressions) -> None:
    settings = hook(when="1 + 1", inputs={"a": "value", "b": "body.a"}, event_id="(")

    faults = await check_expressions(expressions, "a", settings)

    assert [name for name, _ in faults] == ["when", "eventId", "inputs.a"]
    assert await check_expressions(expressions, "a", hook()) == []
