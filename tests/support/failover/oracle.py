"""Oracle over callers, their target and Redis: what a trial lost, did twice, or keeps in parts."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from engine.errors import ExecutionNotFound, Unavailable
from engine.executions.execution import Execution
from engine.executions.statuses import TERMINAL
from engine.store.redis import keyspace
from tests.support.acceptance.random_spending import Spender, check_execution
from tests.support.eventually import eventually
from tests.support.failover.load import CREDITS, Load, Probe, Run

REST_SECONDS = 90.0
SLACK_SECONDS = 0.3
"""Time for an answer to reach its caller, and for an idle replica on loopback to follow."""
AT_ONCE = 16


@dataclass(kw_only=True)
class Verdict:
    """Counts of executions and runs. All accounts agreed with their ledgers."""

    accepted: int = 0
    """Executions that a caller was told of."""
    ended: int = 0
    lost: list[float] = field(default_factory=list)
    """Times of acceptance of executions that are not on record."""
    doubled: int = 0
    """Runs that have more than one execution on record."""
    called_twice: int = 0
    """Runs whose call was made more than once: its node was run again."""
    told_otherwise: int = 0
    """Runs whose caller was told of another end than the record has."""
    wrong: list[str] = field(default_factory=list)
    """Runs with another run's result, and executions that did not end."""
    ends: Counter[str] = field(default_factory=Counter)

    def unexplained(self, kills: list[float], lag: float) -> list[float]:
        """Return the times of lost executions that were accepted long before a kill.

        `lag`: seconds by which replicas were behind. Times are as `lost`.
        """
        window = lag + SLACK_SECONDS
        return [
            moment
            for moment in self.lost
            if not any(killed - window <= moment <= killed + SLACK_SECONDS for killed in kills)
        ]


async def judge(load: Load, probes: list[Probe], target_calls: Counter[str]) -> Verdict:
    """Wait until nothing is under way, and compare. Fails when an account does not add up."""
    verdict = Verdict()
    for spender in load.spenders:
        await eventually(lambda spender=spender: _is_at_rest(spender), timeout=REST_SECONDS)
        await _judge_account(spender, load, verdict)
    for probe in probes:
        await _judge_probe(probe, verdict)
    for run in load.runs:
        verdict.called_twice += target_calls[run.number] > 1
        if not run.is_right:
            verdict.wrong.append(f"a wrong result of {run}")
    return verdict


async def _is_at_rest(spender: Spender) -> bool:
    try:
        return not await spender.store.client.send("SCARD", keyspace.active(spender.account.id))
    except Unavailable:  # the process of the test follows failovers too
        return False


async def _judge_account(spender: Spender, load: Load, verdict: Verdict) -> None:
    """Compare an account's runs with its records, and its records with its credits."""
    account_id = spender.account.id
    slugs = {slug: number for number, slug in enumerate(spender.slugs)}
    found = await _on_record(spender)
    spent = 0
    for execution in found.values():
        spender.runs[execution.id] = slugs[str(execution.workflow_slug)]
        await check_execution(spender, execution, verdict.ends)
        spent += execution.credits_cost
        if execution.status not in TERMINAL:
            verdict.wrong.append(f"{execution.id} is {execution.status}")
    assert await spender.store.wallets.check(account_id) == []
    wallet = await spender.store.wallets.get(account_id, spender.terms)
    assert (CREDITS + spender.terms.allowance - wallet.balance, wallet.reserved) == (spent, 0)
    told = [run for run in load.runs_of(spender) if run.ids]
    for run in told:
        _judge_run(run, found, verdict)
    unknown = set(found) - {name for run in told for name in run.ids}
    verdict.doubled += len(unknown)


def _judge_run(run: Run, found: dict[str, Execution], verdict: Verdict) -> None:
    on_record = [found[name] for name in run.ids if name in found]
    verdict.accepted += len(run.ids)
    verdict.lost += [moment for name, moment in run.ids.items() if name not in found]
    verdict.ended += sum(each.status in TERMINAL for each in on_record)
    verdict.doubled += len(on_record) > 1
    if on_record and run.end != "gone":
        verdict.told_otherwise += run.end != on_record[-1].status.value


async def _judge_probe(probe: Probe, verdict: Verdict) -> None:
    account_id, store = probe.spender.account.id, probe.spender.store
    await eventually(lambda: _is_at_rest(probe.spender), timeout=REST_SECONDS)
    verdict.accepted += len(probe.ids)
    ids = list(probe.ids)
    for start in range(0, len(ids), AT_ONCE):
        asked = ids[start : start + AT_ONCE]
        reads = (store.executions.get(account_id, each) for each in asked)
        answers = await asyncio.gather(*reads, return_exceptions=True)
        for name, answer in zip(asked, answers, strict=True):
            if isinstance(answer, ExecutionNotFound):
                verdict.lost.append(probe.ids[name])
            elif isinstance(answer, BaseException):
                raise answer
            elif answer.status in TERMINAL:
                verdict.ended += 1
            else:
                verdict.wrong.append(f"probe {name} is {answer.status}")


async def _on_record(spender: Spender) -> dict[str, Execution]:
    """Return all executions of an account that Redis has."""
    account_id, store = spender.account.id, spender.store
    names = await store.client.send("ZRANGE", keyspace.account_executions(account_id), 0, -1)
    found = {}
    for start in range(0, len(names), AT_ONCE):
        ids = [name.decode() for name in names[start : start + AT_ONCE]]
        for each in await asyncio.gather(*(store.executions.get(account_id, i) for i in ids)):
            found[each.id] = each
    return found
