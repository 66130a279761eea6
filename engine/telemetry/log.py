"""Logging: one JSON object per line, with fields bound once per request or execution."""

import json
import logging
import re
import sys
import time
from contextvars import ContextVar
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
LINK = re.compile(r"(/(?:hooks|approvals)/[\w-]{6})[\w-]+")
"""URLs of inbound webhooks and links to approvals, of which lines show six characters."""


def bind(**fields: Any) -> None:
    """Add fields to every line logged from this context on."""
    _bound.set({**(_bound.get() or {}), **fields})


class JsonFormatter(logging.Formatter):
    """Formatter of one JSON object per line, in UTC; `extra` becomes members.

    A line of code that runs in a trace has the member `traceId`.
    """

    def format(self, record: logging.LogRecord) -> str:
        second = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, Any] = {
            "at": f"{second}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **(_bound.get() or {}),
        }
        trace = CURRENT.get()
        if trace is not None:
            line["traceId"] = trace.trace_id
        line.update({k: v for k, v in record.__dict__.items() if k not in _STANDARD})
        line = {name: _bounded(value) for name, value in line.items()}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)[-MAX_TRACEBACK:]
        return LINK.sub(r"\1…", SECRET.sub(r"\1…", UNSAFE.sub(_escape, _encode(line))))


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


def set_up(level: str) -> None:
    """Log JSON lines of at least `level` to standard error. Raises ValueError for a wrong level."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in ("dramatiq", "asyncio", "uvicorn.error", "aiohttp"):
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
