"""A time in which Redis serves nobody, or takes no writes, and what callers see of it."""

from collections.abc import Callable

import httpx2

from tests.support.failover.load import Answer
from tests.support.failover.trial import Scene

ANSWER_SECONDS = 2.0
"""Bound of an answer's time in the meantime."""
BACK_SECONDS = 5.0
"""Bound of the time from Redis's return until a run is accepted and answered."""
ENDING_SECONDS = 0.2
"""Time in which a request may still reach a Redis that is ending."""
STARTS = frozenset({"async", "sync", "probe"})
"""Kinds of requests that start runs."""
Note = Callable[[str, object], None]


async def is_refused(scene: Scene) -> None:
    """Check the refusal of a run."""
    spender = scene.load.spenders[0]
    path = f"{spender.url}/api/workflows/{spender.slugs[0]}/run?async=true"
    async with httpx2.AsyncClient(headers={"x-api-key": spender.key}) as client:
        answer = await client.post(path, json={"inputs": {"url": scene.load.target}})
    assert (answer.status_code, answer.json()["code"]) == (503, "UNAVAILABLE")
    assert int(answer.headers["retry-after"]) > 0


def check_absence(scene: Scene, gone: float, back: float, note: Note) -> None:
    """Check answers of the meantime, and that nothing is lost or doubled; note the figures."""
    sent = [each for each in answers(scene) if gone + ENDING_SECONDS < each.sent < back]
    meantime = [each for each in sent if each.kind in STARTS]
    refused = [each for each in meantime if each.status == 503]
    slowest = max(each.answered - each.sent for each in refused)
    [again] = scene.outcome.answered_again
    verdict = scene.outcome.verdict
    note("executions", verdict.accepted)
    note("lost", len(verdict.lost))
    note("doubled", verdict.doubled)
    note("refused", len(refused))
    note("slowest_refusal_seconds", round(slowest, 2))
    note("recovery_seconds", round(again, 2))
    assert {each.code for each in refused} == {"UNAVAILABLE"}
    assert slowest <= ANSWER_SECONDS
    assert [each for each in meantime if each.status != 503 and each.answered < back] == []
    assert again <= BACK_SECONDS
    assert verdict.wrong == []
    assert verdict.lost == []
    assert verdict.doubled == 0
    assert verdict.ended == verdict.accepted
    assert scene.outcome.unexpected() == set()


def answers(scene: Scene) -> list[Answer]:
    """Return all answers of the trial."""
    return [*scene.load.answers, *(each for probe in scene.probes for each in probe.answers)]
