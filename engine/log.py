"""Logging: one JSON object per line, with fields bound once per request or execution."""

import json
import logging
import sys
import time
from contextvars import ContextVar
from typing import Any

import msgspec

_bound: ContextVar[dict[str, Any] | None] = ContextVar("headrace_log_fields", default=None)
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_encoder = msgspec.json.Encoder(enc_hook=str)


def bind(**fields: Any) -> None:
    """Add fields to every line logged from this context on."""
    _bound.set({**(_bound.get() or {}), **fields})


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON, in UTC; `extra` becomes members."""

    def format(self, record: logging.LogRecord) -> str:
        second = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, Any] = {
            "at": f"{second}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **(_bound.get() or {}),
        }
        line.update({k: v for k, v in record.__dict__.items() if k not in _STANDARD})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        try:
            return _encoder.encode(line).decode()
        except UnicodeEncodeError:
            return json.dumps(line, default=str)  # escapes what is not Unicode


def set_up(level: str) -> None:
    """Log JSON lines of at least `level` to standard error. Raises ValueError for a wrong level."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in ("dramatiq", "asyncio", "uvicorn.error", "aiohttp"):
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
