"""Error replies of Redis: temporary refusals, and faults of Headrace.

A reply begins with a word. Only `ERR` and `WRONGTYPE` mean that the command itself is wrong. Every
other word, known or not, means that this server cannot execute the command now: it is full, not
ready, cut off from its replicas, a replica itself, or configured differently.
"""

import logging
import re
import ssl
import time

from engine.errors import StoreFull, Unavailable
from engine.telemetry.metrics import count_redis_error

FULL = frozenset({"OOM", "MISCONF"})
FAULTS = frozenset({"ERR", "WRONGTYPE"})
REPLICA = frozenset({"READONLY", "MASTERDOWN"})
"""Words of a replica: the client must find the primary."""
LOGGED_EVERY_SECONDS = 60.0
MOST_WORDS = 100

WORD = re.compile(r"[A-Z][A-Z0-9_]{0,31}(?![^ ])")
WRAPPED = re.compile(r"@user_script: ?\d+: -([A-Z][A-Z0-9_]{0,31}) ")
"""Form in which old servers report the error of a command in a script."""
FORBIDDEN = re.compile(r"has no permissions to run the '([A-Za-z0-9_.|-]{1,64})' command")
"""Part of a NOPERM reply with the command, or the subcommand, that the user lacks."""
NO_PERMISSION_IN_SCRIPT = "ERR ACL failure in script"
ARGUMENTS = ", with args beginning with"
"""Start of the command's arguments in an error reply, which must not be logged."""

CHECK_AUTHORITY = (
    "HEADRACE_REDIS_TLS_CA names the file with its authority, and the address must be a name or "
    "an IP address of the certificate."
)

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
    return unavailable(word, parse_missing(text))


def parse_missing(text: str) -> str:
    """Return the command that a NOPERM reply says the user may not run, "" without one."""
    command = FORBIDDEN.search(text)
    return command[1] if command else ""


def unavailable(word: str, missing: str = "") -> Unavailable:
    """Return the error for a server that refuses commands for now.

    `missing` is the command for which the ACL user has no permission.
    """
    log_refusal(word, missing)
    if word in FULL:
        failure: Unavailable = StoreFull()
    else:
        failure = Unavailable("The store is not ready right now")
        count_redis_error()
    failure.word = word
    failure.reason = f"Its ACL user lacks the command '{missing}'." if missing else ""
    return failure


def unreachable(reason: str) -> Unavailable:
    """Return the error for a server without a connection."""
    count_redis_error()
    failure = Unavailable("The store cannot be reached right now")
    failure.reason = reason
    return failure


MEMORY_FIX = "Give Redis more memory, or shorten HEADRACE_RETENTION_DAYS"
LACKS_FIX = "Give the user of HEADRACE_REDIS_URL the rules of docs/operate/redis-users.md"
REFUSAL_FIX = "See the log of Redis"
REFUSAL_FIXES = {
    "OOM": MEMORY_FIX,
    "MISCONF": "Make space on the disk of Redis",
    "READONLY": "Point HEADRACE_REDIS_URL to the primary, or to the sentinels",
    "NOAUTH": "Give HEADRACE_REDIS_URL the user and the password",
    "WRONGPASS": "Give HEADRACE_REDIS_URL the right user and password",
}
"""Mending by the word of a refusal."""
UNREACHABLE_FIX = "Start Redis, or set HEADRACE_REDIS_URL to its address"

_logged: dict[str, float] = {}


def log_refusal(word: str, missing: str = "") -> None:
    """Log a refusal with this word, and the missing permission, at most once a minute."""
    if not _may_log(f"{word} {missing}"):
        return
    if missing:
        extra = {"word": word, "lacks": missing, "fix": LACKS_FIX}
        log.warning("the ACL user of Redis lacks a command", extra=extra)
    else:
        extra = {"word": word, "fix": REFUSAL_FIXES.get(word, REFUSAL_FIX)}
        log.warning("Redis refuses commands", extra=extra)


def log_unreachable(place: str, error: Exception) -> str:
    """Log a failed connection to a place at most once a minute; return its reason."""
    reason = describe(error)
    if _may_log(f"{place} {reason}"):
        extra = {"redis": place, "reason": reason, "fix": UNREACHABLE_FIX}
        log.warning("Redis cannot be reached", extra=extra)
    return reason


def describe(error: Exception) -> str:
    """Return the reason of a failed connection in a sentence that says what helps."""
    text = str(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"The server's certificate is refused ({error.verify_message}): {CHECK_AUTHORITY}"
    if isinstance(error, TimeoutError):
        return "It does not answer in time."
    if isinstance(error, (ConnectionRefusedError, FileNotFoundError)):
        return "No server listens there."
    return text or type(error).__name__


def _may_log(subject: str) -> bool:
    """Return whether a subject was not logged within a minute, and note that it is now."""
    now = time.monotonic()
    if now < _logged.get(subject, 0.0) or (subject not in _logged and len(_logged) >= MOST_WORDS):
        return False
    _logged[subject] = now + LOGGED_EVERY_SECONDS
    return True
