"""Error replies of Redis: which ones pass, and which ones mean a fault of Headrace.

A reply begins with a word. Only `ERR` and `WRONGTYPE` say that the command itself is wrong. Every
other word, known or not, says that this server cannot serve the command now: it is full, not
ready, cut off from its replicas, a replica itself, or set up differently.
"""

import logging
import re
import time

from engine.errors import StoreFull, Unavailable

FULL = frozenset({"OOM", "MISCONF"})
FAULTS = frozenset({"ERR", "WRONGTYPE"})
REPLICA = frozenset({"READONLY", "MASTERDOWN"})
"""The server is a replica: whoever talks to it must look for the primary."""
LOGGED_EVERY_SECONDS = 60.0
MOST_WORDS = 100

WORD = re.compile(r"[A-Z][A-Z0-9_]{0,31}(?![^ ])")
WRAPPED = re.compile(r"@user_script: ?\d+: -([A-Z][A-Z0-9_]{0,31}) ")
"""Old servers put the error of a command in a script behind a sentence of their own."""
NO_PERMISSION_IN_SCRIPT = "ERR ACL failure in script"
ARGUMENTS = ", with args beginning with"
"""From here on Redis repeats the arguments of the command, which nobody may log."""

log = logging.getLogger(__name__)


class StoreFault(RuntimeError):
    """Redis says that a command or a record is wrong: a fault of Headrace, not of the moment."""


def parse_word(text: str) -> str:
    """The word that an error reply begins with; "OTHER" when it begins with none."""
    if text.startswith(NO_PERMISSION_IN_SCRIPT):
        return "NOPERM"
    found = WRAPPED.search(text) if text.startswith("ERR ") else None
    if found is not None:
        return found[1]
    found = WORD.match(text)
    return found[0] if found else "OTHER"


def failure_of(text: str) -> Unavailable | StoreFault:
    """The error to raise for an error reply."""
    word = parse_word(text)
    if word in FAULTS:
        return StoreFault(f"Redis refused a command: {text.partition(ARGUMENTS)[0]}")
    return unavailable(word)


def unavailable(word: str) -> Unavailable:
    """The error of a server that refuses commands for now."""
    note(word)
    failure = StoreFull() if word in FULL else Unavailable("The store is not ready right now")
    failure.word = word
    return failure


_logged: dict[str, float] = {}


def note(word: str) -> None:
    """Log that Redis refuses commands with this word, once a minute at most."""
    now = time.monotonic()
    if now < _logged.get(word, 0.0) or (word not in _logged and len(_logged) >= MOST_WORDS):
        return
    _logged[word] = now + LOGGED_EVERY_SECONDS
    log.warning("Redis refuses commands", extra={"word": word})
