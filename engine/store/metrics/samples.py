"""Arithmetic of metrics' samples: [name, type, help, [[sample, labels, value], …]]."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any


def add_up(snapshots: Iterable[Sequence[Any]]) -> list[Any]:
    """Return the sum of snapshots in the same form."""
    families: dict[str, tuple[str, str]] = {}
    sums: dict[str, dict[tuple[str, tuple[tuple[str, str], ...]], float]] = {}
    for samples in snapshots:
        for name, kind, text, rows, *_ in samples:
            families[name] = (kind, text)
            family = sums.setdefault(name, {})
            for sample, labels, value, *_ in rows:
                if not sample.endswith("_created"):
                    key = (sample, tuple(sorted(labels.items())))
                    family[key] = family.get(key, 0.0) + value
    return [
        [
            name,
            *families[name],
            [[sample, dict(labels), value] for (sample, labels), value in family.items()],
        ]
        for name, family in sums.items()
    ]


def without_gauges(samples: Iterable[Any]) -> list[Any]:
    """Return the families that only grow."""
    return [family for family in samples if family[1] != "gauge"]


def subtract(samples: Sequence[Any], counted: Sequence[Any]) -> list[Any]:
    """Return the counts beyond `counted`, an earlier snapshot of the same process.

    Gauges are as they are in `samples`.
    """
    negative = [
        [name, kind, text, [[sample, labels, -value] for sample, labels, value, *_ in rows]]
        for name, kind, text, rows, *_ in without_gauges(counted)
    ]
    return add_up([samples, negative]) if negative else list(samples)


def bound_label(
    total: Sequence[Any], earlier: Sequence[Any], label: str, most: int, other: str
) -> list[Any]:
    """Return a sum in which a label has at most `most` values, and `other` for all further ones.

    Values that `earlier` has are kept before others, so that they stay apart from one sum to the
    next.
    """
    values = dict.fromkeys(_values_of(earlier, label))
    values |= dict.fromkeys(sorted(set(_values_of(total, label)) - set(values)))
    values.pop(other, None)
    if len(values) <= most:
        return list(total)
    kept = {*list(values)[:most], other}
    bounded = [
        [name, kind, text, [_with_other(row, label, kept, other) for row in rows]]
        for name, kind, text, rows, *_ in total
    ]
    return add_up([bounded])


def _values_of(families: Sequence[Any], label: str) -> Iterable[str]:
    for _, _, _, rows, *_ in families:
        for _, labels, *_ in rows:
            if label in labels:
                yield labels[label]


def _with_other(row: Sequence[Any], label: str, kept: Collection[str], other: str) -> Sequence[Any]:
    sample, labels, value, *_ = row
    if labels.get(label, other) in kept:
        return row
    return [sample, {**labels, label: other}, value]
