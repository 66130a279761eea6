"""Figures of a session, by names that a reader of the report understands."""

from typing import Any

from tests.support.acceptance.footprint import Footprint, Trace
from tests.support.soak.differences import DOUBLED, LOST
from tests.support.soak.monkey import UNWANTED
from tests.support.soak.oracle import Oracle
from tests.support.soak.session import Session

LAST_HOURS = 40 / 60
"""Last part of a session in which nothing may grow."""
MEGABYTES_AN_HOUR = 4.0
WARM_UP_SECONDS = 1_200.0
FILES_MORE = 5


def figures_of(soak: Session, oracle: Oracle) -> dict[str, Any]:
    """Return the figures of a session that is over."""
    differences, monkey = soak.differences, soak.monkey
    lost, doubled = (differences.by_failovers()[kind] for kind in (LOST, DOUBLED))
    seconds = sorted(run.ended - run.began for run in oracle.runs)
    figures: dict[str, Any] = {
        "minutes": round(soak.seconds / 60, 1),
        "executions": len(oracle.records),
        "executions_by_kind_and_end": str(dict(sorted(oracle.ends.items()))),
        "run_p50_seconds": round(seconds[len(seconds) // 2], 2),
        "run_p99_seconds": round(seconds[len(seconds) * 99 // 100], 2),
        "pages_read": soak.place.pages.total(),
        "faults": monkey.done.total() - monkey.done[UNWANTED],
        "faults_by_kind": str(dict(sorted(monkey.done.items()))),
        "kills": monkey.fleet.kills,
        "failovers": len(differences.failovers),
        "lost": differences.count(LOST),
        "doubled": differences.count(DOUBLED),
        "differences_in_all": len(differences.unexplained),
        "lost_by_replica_lag_at_failovers": lost,
        "doubled_by_replica_lag_at_failovers": doubled,
    }
    if oracle.keys:
        figures["keys_left_in_redis"] = str(dict(oracle.keys.most_common()))
    for trace in judged(soak.footprint):
        if len(trace.hours) > 1:
            growth = round(trace.growth(LAST_HOURS), 2)
            figures[f"{trace.name}_growth_megabytes_an_hour"] = growth
            figures[f"{trace.name}_megabytes"] = round(trace.megabytes[-1], 1)
            files = f"{trace.files_early:.0f} and {trace.files_late:.0f}"
            figures[f"{trace.name}_open_files_early_and_late"] = files
    return figures


def judged(footprint: Footprint) -> list[Trace]:
    """Return the traces of processes that lived from the beginning to the end."""
    most = max((len(each.hours) for each in footprint.traces), default=0)
    return [each for each in footprint.traces if len(each.hours) > 0.9 * most]


def must_be_flat(footprint: Footprint, seconds: float) -> None:
    """Fail for a process whose open files, or after a warm-up whose memory, have grown."""
    traces = judged(footprint)
    if seconds > WARM_UP_SECONDS / 2:
        assert traces, "no process lived from the beginning to the end"
        more = [each for each in traces if each.files_late > each.files_early + FILES_MORE]
        assert [each.name for each in more] == []
    if seconds > WARM_UP_SECONDS + LAST_HOURS * 3_600 - 60:
        grown = [each for each in traces if each.growth(LAST_HOURS) > MEGABYTES_AN_HOUR]
        assert [each.name for each in grown] == []
