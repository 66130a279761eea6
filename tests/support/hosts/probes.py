"""Answers of a gateway that was asked again and again while something was cut off."""

from collections.abc import Sequence
from typing import NamedTuple

from tests.support.hosts.trial import Attempt


class Summary(NamedTuple):
    """Figures of attempts, in seconds."""

    refused: float
    """From the cut to the first answer of 503; 0: there was none."""
    longest: float
    """Longest answer to a request that was sent during the cut."""
    accepted: float
    """From the end of the cut to the acceptance."""
    statuses: set[int]
    """Statuses of all answers but the acceptance; 0: no answer."""


def summarize(attempts: Sequence[Attempt], cut_at: float, mended_at: float) -> Summary:
    """Return the figures of attempts of which the last one was accepted."""
    *others, last = attempts
    refused = [each.answered - cut_at for each in others if each.status == 503]
    during = [each.answered - each.sent for each in attempts if each.sent < mended_at]
    return Summary(
        refused=min(refused, default=0.0),
        longest=max(during, default=0.0),
        accepted=last.answered - mended_at,
        statuses={each.status for each in others},
    )
