"""Error replies of Redis: temporary refusals, and faults of Headrace.

A reply begins with a word. Only `ERR` and `WRONGTYPE` mean that the command itself is wrong. Every
other word, known or not, means that this server cannot execute the command now: it is full, not
ready, cut off from its replicas, a replica itself, or configured differently.
"""

import logging
import re
import time

from engine.errors import StoreFull, Unavailable

FULL = frozenset({"OOM", "MISCONF"})
FAULTS = frozenset({"ERR", "WRONGTYPE"})
REPLICA = frozenset({"READONLY", "MASTERDOWN"})
"""Words of a replica: the client must find the primary."""
LOGGED_EVERY_SECONDS = 60.0
MOST_WORDS = 100

WORD = re.compile(r"[A-Z][A-Z0-9_]{0,31}(?![^ ])")
WRAPPED = re.compile(r"@user_script: ?\d+: -([A-Z][A-Z0-9_]{0,31}) ")
"""Form in which old servers report the error of a command in a script."""
NO_PERMISSION_IN_SCRIPT = "ERR ACL failure in script"
ARGUMENTS = ", with args beginning with"
"""Start of the command's arguments in an error reply, which must not be logged."""

log = logging.getLogger(__name__)


class StoreFault(RuntimeError):
    """Redis rejects a command or a record as wrong: a fault of Headrace."""


def parse_word(text: str) -> str:
    """Return the first word of an error reply, "OTHER" without one."""
    if text.startswith(NO_PERMISSION_IN_SCRIPT):
        return "NOPERM"
    wrapped = WRAPPED.search(text) if text.startswith("ERR ") else None
    if wrapped is not None:
        return wrapped[1]
    word = WORD.match(text)
    return word[0] if word else "OTHER"


def parse_failure(text: str) -> Unavailable | StoreFault:
    """Return the exception for an error reply."""
    word = parse_word(text)
    if word in FAULTS:
        return StoreFault(f"Redis refused a command: {text.partition(ARGUMENTS)[0]}")
    return unavailable(word)


def unavailable(word: str) -> Unavailable:
    """Return the error for a server that refuses commands for now."""
    log_refusal(word)
    failure = StoreFull() if word in FULL else Unavailable("The store is not ready right now")
    failure.word = word
    return failure


_logged: dict[str, float] = {}


def log_refusal(word: str) -> None:
    """Log a refusal with this word, at most once a minute."""
    now = time.monotonic()
    if now < _logged.get(word, 0.0) or (word not in _logged and len(_logged) >= MOST_WORDS):
        return
    _logged[word] = now + LOGGED_EVERY_SECONDS
    log.warning("Redis refuses commands", extra={"word": word})
