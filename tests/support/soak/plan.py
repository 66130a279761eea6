"""Faults of a session, drawn from a seed, so that the seed repeats them."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

NO_ENDS: Mapping[str, float] = {}
LEAST_PAUSE, LONGEST_PAUSE = 5.0, 40.0
"""Seconds between the beginnings of two faults; a fault that lasts longer delays the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One fault: its kind, and its time in seconds from the beginning of the load."""

    at: float
    kind: str
    seed: str
    """Seed of the draws within the fault."""

    def __str__(self) -> str:
        return f"{self.at:7.1f} s  {self.kind}"


def draw_turns(
    seed: int, seconds: float, kinds: Sequence[str], ends: Mapping[str, float] = NO_ENDS
) -> list[Turn]:
    """Return the faults of a time. Each kind comes once before any comes again.

    `ends`: times from which kinds come no more.
    """
    draw = random.Random(f"faults {seed}")
    dealt = _deal(draw, kinds)
    turns: list[Turn] = []
    at = draw.uniform(LEAST_PAUSE, LONGEST_PAUSE)
    while at < seconds:
        kind = next(each for each in dealt if at < ends.get(each, seconds))
        turns.append(Turn(at=at, kind=kind, seed=f"{seed} {len(turns)}"))
        at += draw.uniform(LEAST_PAUSE, LONGEST_PAUSE)
    return turns


def _deal(draw: random.Random, kinds: Sequence[str]) -> Iterator[str]:
    while True:
        yield from draw.sample(kinds, len(kinds))
