"""Oracle over a scene at rest: callers, remotes, Redis, ledger and processes must agree.

Each function returns the differences that it finds, in words.
"""

import base64
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from standardwebhooks.webhooks import Webhook as StockVerifier

from engine.executions.events import EventName, ExecutionEvent
from engine.executions.execution import Execution
from engine.executions.statuses import NODE_TERMINAL, TERMINAL, ExecutionStatus
from engine.store.redis import keyspace
from tests.support.acceptance.running_stack import until
from tests.support.deaths.evidence import Evidence, read_evidence
from tests.support.deaths.scene import PRICE, Run, Scene
from tests.support.http.target import Request

EMPTY = ("due", "deliveries_due", "children_due", "batches_due", "held")
"""Parts of names of keys that are gone when nothing is under way."""
SKEW_SECONDS = 60.0


def check(scene: Scene) -> dict[str, int]:
    """Wait until nothing is under way; return figures, and fail where anything differs."""
    evidence = until(lambda: read_evidence(scene), lambda found: _is_at_rest(scene, found))
    differences = [f"{each.__name__}: {text}" for each in RULES for text in each(scene, evidence)]
    assert not differences, "\n".join(differences)
    return {
        "executions": len(evidence.executions),
        "lost": len(list(find_lost(scene, evidence))),
        "doubled": len(list(find_doubled_ends(scene, evidence))),
    }


def find_lost(scene: Scene, evidence: Evidence) -> Iterator[str]:
    """Runs of which a caller was told and that have not ended, and runs that nobody explains."""
    told = {each.id for each in scene.runs if each.id}
    for name in told:
        found = evidence.executions.get(name)
        if found is None or found.status not in TERMINAL:
            yield f"{name} was accepted and is {found and found.status}"
    for name in evidence.executions.keys() - told:
        yield f"nobody began {name}"


def find_doubled_ends(scene: Scene, evidence: Evidence) -> Iterator[str]:
    """Nodes without exactly one end, with more attempts than deaths explain, or a wrong end."""
    for run, found in _executions(scene, evidence):
        for node in found.nodes:
            if node.status not in NODE_TERMINAL or node.attempts > 1 + run.deaths:
                yield f"{run.name}: node {node.index} is {node.status} after {node.attempts}"
        if found.status is not ExecutionStatus.COMPLETED:
            yield f"{run.name} is {found.status}: {found.error}"
        events = evidence.events.get(found.id, ())
        if run.is_watched and not events:
            yield f"{run.name} was watched and has no events"
        if events and not _is_told_once(events, len(found.nodes)):
            yield f"{run.name}: its events are {[(each.name, each.index) for each in events]}"


def _is_told_once(events: Sequence[ExecutionEvent], nodes: int) -> bool:
    """Return whether each node has one end among the events, and the execution the last of all."""
    ended = Counter(each.index for each in events if each.name is EventName.NODE_FINISHED)
    finished = [each.name for each in events].count(EventName.EXECUTION_FINISHED)
    is_last = events[-1].name is EventName.EXECUTION_FINISHED
    return ended == Counter(range(nodes)) and finished == 1 and is_last


def find_wrong_credits(scene: Scene, evidence: Evidence) -> Iterator[str]:
    """A ledger that does not add up, and nodes that were not charged once."""
    yield from evidence.wrong_sums
    if evidence.wallet.reserved:
        yield f"{evidence.wallet.reserved} credits are still reserved"
    if any(each.balance < 0 for each in evidence.entries):
        yield "the balance was below 0"
    captured = [
        (each.execution_id, -each.reserved) for each in evidence.entries if each.kind == "capture"
    ]
    expected = [(found.id, PRICE) for _, found in _executions(scene, evidence)]
    if sorted(captured) != sorted(expected):
        yield f"captured {captured}, and not once {PRICE} of each run"
    for run, found in _executions(scene, evidence):
        if found.credits_cost != PRICE:
            yield f"{run.name} cost {found.credits_cost}"


def find_wrong_calls(scene: Scene, evidence: Evidence) -> Iterator[str]:
    """Calls that no death explains, and calls of one node with several keys."""
    for run in scene.runs:
        for kind in ("first", "make"):
            calls = scene.target.at(f"/{kind}/{run.name}")
            if len(calls) > 1 + run.deaths:
                yield f"{run.name}: {len(calls)} calls of {kind} after {run.deaths} deaths"
        keys = {each.headers["idempotency-key"] for each in scene.target.at(f"/make/{run.name}")}
        if len(keys) > 1:
            yield f"{run.name}: keys {keys}"


def find_wrong_webhooks(scene: Scene, evidence: Evidence) -> Iterator[str]:
    """Ends that were told with several ids or bodies, to nobody, or with a wrong signature."""
    verifier = StockVerifier(base64.b64encode(scene.hook_secret.encode()).decode())
    for run, found in _executions(scene, evidence):
        told = hooks(scene, run)
        ids = {each.headers["webhook-id"] for each in told}
        if ids != {found.id} or len({each.body for each in told}) != 1:
            yield f"{run.name}: told with the ids {ids}"
        if evidence.deliveries.get(found.id) != "delivered":
            yield f"{run.name}: its delivery is {evidence.deliveries.get(found.id)}"
        if len(told) > 1 + run.deaths:
            yield f"{run.name}: told {len(told)} times after {run.deaths} deaths"
        stamps = [int(each.headers["webhook-timestamp"]) for each in told]
        if stamps != sorted(stamps):
            yield f"{run.name}: time stamps {stamps}"
        for each, stamp in zip(told, stamps, strict=True):
            moment = datetime.fromtimestamp(stamp, UTC)
            signature = verifier.sign(found.id, moment, each.body.decode())
            if each.headers["webhook-signature"] != signature:
                yield f"{run.name}: a wrong signature"
            if abs(received_at(each) - stamp) > SKEW_SECONDS:
                yield f"{run.name}: received {received_at(each) - stamp} s after its time stamp"
            if json.loads(each.body)["status"] != found.status:
                yield f"{run.name}: told of another end"


def find_leftovers(scene: Scene, evidence: Evidence) -> Iterator[str]:
    """Keys of work under way."""
    for key in evidence.keys:
        if key.rpartition(":")[2] in EMPTY or ":held:" in key or key.startswith("hr:hints"):
            yield key
    if keyspace.active(scene.account_id) in evidence.keys:
        yield "executions are active"


def find_leaks(scene: Scene, evidence: Evidence) -> Iterator[str]:
    """Secrets in logs."""
    for member in scene.fleet.members:
        text = member.log.read_text()
        for name, secret in (("key", scene.key), ("secret", scene.hook_secret)):
            if secret in text:
                yield f"the {name} is in the log of a {member.kind}"
        for run in scene.runs:
            if run.name in text:
                yield f"the inputs of {run.name} are in the log of a {member.kind}"


def find_broken_processes(scene: Scene, evidence: Evidence) -> Iterator[str]:
    """Processes that ended by themselves, and errors that name no execution."""
    for member in scene.fleet.members:
        if member.process.poll() is not None and member not in scene.killed:
            yield f"a {member.kind} ended with {member.process.returncode}"
        for line in member.log.read_text().splitlines():
            if '"level":"error"' in line and "executionId" not in json.loads(line):
                yield line
            if line.startswith("Traceback"):
                yield f"a traceback of a {member.kind}"


RULES: Sequence[Callable[[Scene, Evidence], Iterator[str]]] = (
    find_lost,
    find_doubled_ends,
    find_wrong_credits,
    find_wrong_calls,
    find_wrong_webhooks,
    find_leftovers,
    find_leaks,
    find_broken_processes,
)


def received_at(request: Request) -> float:
    """Return the time of the wall clock at which a request came."""
    return time.time() - (time.monotonic() - request.at)


def hooks(scene: Scene, run: Run) -> list[Request]:
    """Return the deliveries of a run."""
    return scene.target.at(f"/hook/{run.name}")


def _is_at_rest(scene: Scene, evidence: Evidence) -> bool:
    are_told = all(hooks(scene, each) for each in scene.runs if each.id)
    return are_told and not any(find_leftovers(scene, evidence))


def _executions(scene: Scene, evidence: Evidence) -> Iterator[tuple[Run, Execution]]:
    for run in scene.runs:
        if run.id in evidence.executions:
            yield run, evidence.executions[run.id]
