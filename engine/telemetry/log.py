"""Logging: one JSON object per line, with fields bound once per request or execution.

Fields have Python's names in code, `execution_id`, and the API's in lines, `executionId`.
"""

import json
import logging
import re
import sys
import time
import traceback
from collections.abc import Mapping
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

import msgspec

from engine.telemetry.traces.context import CURRENT

_bound: ContextVar[dict[str, Any] | None] = ContextVar("headrace_log_fields", default=None)
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_encoder = msgspec.json.Encoder(enc_hook=str)
MAX_TEXT = 2_048
MAX_TRACEBACK = 16_384
"""Characters; the rest of a longer text is omitted."""
UNSAFE = re.compile("[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Characters that JSON does not escape, but that end lines or control terminals."""
SECRET = re.compile(r"(hr_[a-z]+_[\w-]{4}|whsec_)[\w+/=-]{5,}")
"""API keys, tokens and webhook secrets, whole or truncated; they are redacted in all lines."""
LINK = re.compile(r"(/(?:hooks|approvals)/+[\w-]{6})[\w-]+")
"""URLs of inbound webhooks and links to approvals, of which lines show six characters."""
SUSPECTS = ("hr_", "whsec_", "/hooks/", "/approvals/")
"""Texts of which each secret and link has one."""
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
PART = re.compile(r"\w+(\.\w+)*")
LIBRARIES = ("dramatiq", "asyncio", "uvicorn.error", "aiohttp")
"""Loggers that speak up only to warn, unless the setting names them."""


def bind(**fields: Any) -> None:
    """Add fields to every line logged from this context on."""
    _bound.set({**(_bound.get() or {}), **fields})


class JsonFormatter(logging.Formatter):
    """Formatter of one JSON object per line, in UTC; `extra` becomes members in camel case.

    A line of code that runs in a trace has the member `traceId`.
    """

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": format_time(int(record.created), int(record.msecs)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **_named(_bound.get() or {}),
        }
        trace = CURRENT.get()
        if trace is not None:
            line["traceId"] = trace.trace_id
        line.update(_named({k: v for k, v in record.__dict__.items() if k not in _STANDARD}))
        line = {name: _bounded(value) for name, value in line.items()}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)[-MAX_TRACEBACK:]
        return make_safe(_encode(line))


def make_safe(line: str) -> str:
    """Return a line of JSON without control characters, keys, tokens and links."""
    if not line.isascii() or "\x7f" in line:
        line = UNSAFE.sub(_escape, line)
    if any(each in line for each in SUSPECTS):
        line = LINK.sub(r"\1…", SECRET.sub(r"\1…", line))
    return line


@lru_cache(256)
def _second(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


def format_time(second: int, millisecond: int) -> str:
    """Return a time since the epoch as lines have it."""
    return f"{_second(second)}.{millisecond:03d}Z"


def format_now() -> str:
    """Return the present time as lines have it."""
    return format_time(*divmod(time.time_ns() // 1_000_000, 1_000))


def _named(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {_camel(name): value for name, value in fields.items()}


@lru_cache(1_024)
def _camel(name: str) -> str:
    """Return a field's name as the API writes it."""
    first, *others = name.split("_")
    return first + "".join(each.capitalize() for each in others)


def format_places(error: BaseException) -> str:
    """Return the places that an exception and its causes come from, without their words.

    The words of an exception in the code of nodes may repeat values of runs.
    """
    parts: list[str] = []
    cause: BaseException | None = error
    while cause is not None:
        parts.append("".join(traceback.format_tb(cause.__traceback__)) + type(cause).__name__)
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return "\n".join(reversed(parts))[-MAX_TEXT:]


def _bounded(value: Any) -> Any:
    if isinstance(value, (int, float, type(None))):
        return value
    text = value if isinstance(value, str) else _encode(value)
    return value if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "…"


def _encode(value: Any) -> str:
    try:
        return _encoder.encode(value).decode()
    except UnicodeEncodeError:
        return json.dumps(value, default=str)  # escapes unpaired surrogates


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match.group()):04x}"


def set_up(levels: str) -> None:
    """Log JSON lines to standard error. Raises ValueError for a wrong level.

    `levels` is that of all loggers and, after commas, those of parts, such as
    `INFO,workers.webhooks=DEBUG`.
    """
    overall, parts = parse_levels(levels)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=overall, handlers=[handler], force=True)
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
    for name in _parts - parts.keys():
        logging.getLogger(name).setLevel(logging.NOTSET)
    for name, level in parts.items():
        logging.getLogger(name).setLevel(level)
    _parts.clear()
    _parts.update(parts)


_parts: set[str] = set()
"""Loggers with a level of their own."""


def parse_levels(text: str) -> tuple[str, Mapping[str, str]]:
    """Return the level of all loggers, and those of parts. Raises ValueError for a wrong one."""
    overall, parts = "INFO", {}
    for each in filter(None, (each.strip() for each in text.split(","))):
        name, sign, level = each.rpartition("=")
        level = level.strip().upper()
        if level not in LEVELS:
            raise ValueError(f"{level} is no level: use {', '.join(LEVELS)}")
        if not sign:
            overall = level
        elif PART.fullmatch(name.strip()):
            parts[name.strip()] = level
        else:
            raise ValueError(f"{name} is no part: use the beginning of the member logger of lines")
    return overall, parts
