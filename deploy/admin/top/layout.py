"""Lines of `headrace top`, laid out for a terminal of any size from 80 columns and 24 lines on."""

from collections.abc import Sequence
from datetime import UTC, datetime
from textwrap import wrap

from deploy.admin.top.reading import Reading
from deploy.admin.top.tables import (
    Line,
    Span,
    Style,
    TopTable,
    node_types_table,
    providers_table,
    workers_table,
)
from deploy.admin.top.words import NONE, bars, words_of_bytes, words_of_rate, words_of_seconds
from deploy.output.tables import printable
from engine.store.metrics.installation_sample import InstallationFacts, InstallationSample
from engine.store.metrics.last_hour import HOUR_MS, MOST_SAMPLES, SAMPLE_SECONDS

Figure = tuple[str, str, Style]
"""Name and value of a figure, and the way in which the value is shown."""
LABEL_WIDTH = 10
LOW_LINES = 32
"""Below this height, tables have no blank lines between them."""
MOST_PROBLEMS = 3
"""Lines of sentences about problems on a low terminal; on others, twice as many."""
LATE_SECONDS = 5.0
"""Delay of a step or a delivery from which on it is shown as too long."""
FULL_SHARE = 0.85


def draw(
    reading: Reading, width: int, height: int, *, note: str = "", hint: str = ""
) -> list[Line]:
    """Return the lines; `note` is a sentence on the reading itself, `hint` how to leave."""
    lines = [_title(reading, width, hint)]
    problems = [each for text in (note, *reading.problems) for each in wrap(printable(text), width)]
    is_low = height < LOW_LINES
    most = MOST_PROBLEMS if is_low else 2 * MOST_PROBLEMS
    lines += [((each, "bad"),) for each in problems[:most]]
    lines += _figures(reading, width)
    tables = [workers_table(reading), node_types_table(reading), providers_table(reading)]
    room = height - len(lines) - len(tables) * (1 if is_low else 2)
    for table, rows in zip(tables, _share([len(each.rows) for each in tables], room), strict=True):
        lines += [*([] if is_low else [()]), *_lines_of(table, width, rows)]
    return [_cropped(line, width) for line in lines[: max(height, 1)]]


def _lines_of(table: TopTable, width: int, rows: int) -> list[Line]:
    lines = table.lines(width, rows)
    return lines if table.rows else [*lines, ((NONE, "label"),)]


def _share(wanted: Sequence[int], room: int) -> list[int]:
    """Return the rows of each table: in turns, until all have theirs or there is no room."""
    given = [1 for _ in wanted]
    left = room - sum(given)
    while left > 0 and any(has < wants for has, wants in zip(given, wanted, strict=True)):
        for place, wants in enumerate(wanted):
            if left > 0 and given[place] < wants:
                given[place] += 1
                left -= 1
    return given


def _title(reading: Reading, width: int, hint: str) -> Line:
    at = datetime.fromtimestamp(reading.state.at / 1000, UTC)
    gateways = len(reading.state.gateways)
    alive = sum(worker.is_alive for worker in reading.state.workers)
    parts = f"headrace top  {at:%Y-%m-%d %H:%M:%S} UTC  gateways {gateways}  workers {alive}"
    return (parts, "head"), (hint.rjust(max(1, width - len(parts))), "label")


def _figures(reading: Reading, width: int) -> list[Line]:
    sample = reading.recent
    if sample is None:
        return [*_stored(reading, None)]
    rate = sample.rate
    counts, latencies, facts = sample.counts, sample.latencies, sample.facts
    runs = f"{words_of_rate(rate(counts.completed))}/s"
    spans = _labelled(
        "Runs",
        ("completed", runs, "good"),
        ("failed", f"{words_of_rate(rate(counts.failed))}/s", "bad" if counts.failed else ""),
        ("cancelled", f"{words_of_rate(rate(counts.cancelled))}/s", ""),
        ("over", words_of_seconds(sample.seconds), "label"),
    )
    lines = [spans]
    if causes := _causes(sample):
        lines.append(causes)
    lines += [
        _hour(reading, width),
        _labelled(
            "Time",
            ("p50", words_of_seconds(latencies.execution.quantile(0.5)), ""),
            ("p95", words_of_seconds(latencies.execution.quantile(0.95)), ""),
            ("wait p95", words_of_seconds(latencies.hint_wait.quantile(0.95)), ""),
            ("loop lag p99", words_of_seconds(latencies.loop_lag.quantile(0.99)), ""),
        ),
        _labelled(
            "Requests",
            ("all", f"{words_of_rate(rate(counts.requests))}/s", ""),
            (
                "5xx",
                f"{words_of_rate(rate(counts.server_errors))}/s",
                "bad" if counts.server_errors else "",
            ),
            ("in flight", f"{facts.requests_in_flight:,}", ""),
            ("callers wait", f"{facts.callers_waiting:,}", ""),
        ),
        _executions(facts),
    ]
    return [*lines, *_stored(reading, sample)]


def _causes(sample: InstallationSample) -> Line | None:
    causes = sorted(sample.counts.causes.items(), key=lambda item: -item[1])
    if not causes:
        return None
    return _labelled("Causes", *((cause, f"{number:,}", "warn") for cause, number in causes))


def _hour(reading: Reading, width: int) -> Line:
    """Return the ends of runs of the last hour, as bars."""
    slots: list[float | None] = [None] * MOST_SAMPLES
    first = reading.series.at - HOUR_MS
    for sample in reading.series.samples:
        slot = (sample.at - first) // (SAMPLE_SECONDS * 1000)
        if 0 <= slot < MOST_SAMPLES:
            counts = sample.counts
            ended = counts.completed + counts.failed + counts.cancelled
            slots[slot] = sample.rate(ended)
    top = max((each for each in slots if each is not None), default=None)
    end = f" to {words_of_rate(top)}/s"
    return (
        ("Last hour".ljust(LABEL_WIDTH), "label"),
        (bars(slots, width - LABEL_WIDTH - len(end)), "good"),
        (end, "label"),
    )


def _executions(facts: InstallationFacts) -> Line:
    held = f"{facts.held:,} of {facts.slots:,}" if facts.slots else f"{facts.held:,}"
    return _labelled(
        "Runs now",
        ("not ended", f"{facts.active:,}", ""),
        ("held", held, "warn" if facts.slots and facts.held >= facts.slots else ""),
        ("parked", f"{facts.parked:,}", ""),
        ("overdue by", words_of_seconds(facts.due_lag_seconds), _late(facts.due_lag_seconds)),
    )


def _stored(reading: Reading, sample: InstallationSample | None) -> list[Line]:
    """Return the lines that need no counts: queues, Redis, history and webhooks."""
    state = reading.state
    waits: list[Figure] = [(each.name, f"{each.waiting:,}", "") for each in state.queues]
    oldest = min((each.oldest_at for each in state.queues if each.oldest_at), default=None)
    age = 0.0 if oldest is None else max(0, state.at - oldest) / 1000
    redis = state.redis
    limit = f" of {words_of_bytes(redis.limit)}" if redis.limit else ""
    trip = sample.latencies.redis.quantile(0.99) if sample else None
    history = state.history.executions
    behind = 0.0 if history.oldest_at is None else max(0, state.at - history.oldest_at) / 1000
    lines = [
        _labelled("Queues", *waits, ("oldest", words_of_seconds(age), _late(age))),
        _labelled(
            "Redis",
            (
                "memory",
                f"{words_of_bytes(redis.used)}{limit}",
                "bad" if redis.share >= FULL_SHARE else "",
            ),
            ("round trip p99", words_of_seconds(trip), ""),
        ),
        _labelled(
            "History",
            ("behind", words_of_seconds(behind), ""),
            ("waiting", f"{history.count:,}", ""),
            ("refused", f"{state.history.state.refused:,}", _bad(state.history.state.refused)),
        ),
    ]
    attempts = sample.rate(sample.counts.deliveries) if sample else None
    failed = sample.counts.deliveries_failed if sample else 0
    late = sample.facts.oldest_delivery_seconds if sample else None
    webhooks = _labelled(
        "Webhooks",
        ("attempts", f"{words_of_rate(attempts)}/s", ""),
        ("without success", f"{failed:,}", "warn" if failed else ""),
        ("due", f"{state.deliveries_due:,}", ""),
        ("late by", words_of_seconds(late), _late(late or 0.0)),
    )
    return [*lines, webhooks]


def _labelled(label: str, *figures: Figure) -> Line:
    spans: list[Span] = [(label.ljust(LABEL_WIDTH), "label")]
    for name, value, style in figures:
        spans += [(f"{name} ", "label"), (value, style), ("  ", "")]
    return tuple(spans)


def _late(seconds: float) -> Style:
    return "bad" if seconds >= LATE_SECONDS else ""


def _bad(number: int) -> Style:
    return "bad" if number else ""


def _cropped(line: Line, width: int) -> Line:
    """Return the line, cut to the width."""
    kept: list[Span] = []
    for text, style in line:
        kept.append((text[:width], style))
        width -= len(text)
        if width <= 0:
            break
    return tuple(kept)
