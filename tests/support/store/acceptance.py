"""Arguments of the scripts that accept executions."""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.store.accounts.speculation import NO_ARGUMENTS
from engine.store.redis.connection import Argument

RESEND_MS = 5_000
NO_FIELDS: Mapping[str, Argument] = {}


def acceptance(
    now: int,
    name: str,
    *,
    reference: str = "",
    version: Argument = "",
    statuses: str = "p",
    fields: Mapping[str, Argument] = NO_FIELDS,
    **options: Any,
) -> Sequence[Argument]:
    """Return the arguments of a call that is authorized already; options of None are left out."""
    given = {option: value for option, value in options.items() if value is not None}
    return [
        *(now, name, reference or name, version, statuses, RESEND_MS, *NO_ARGUMENTS),
        *(2 * len(fields), *_words(fields)),
        *_words(given),
    ]


def _words(pairs: Mapping[str, Argument]) -> Sequence[Argument]:
    return [word for pair in pairs.items() for word in pair]
