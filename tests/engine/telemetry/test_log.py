import contextvars
import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest

from engine.telemetry import log
from engine.telemetry.traces.context import CURRENT, TraceContext

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Restore the logging setup after each test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    quiet = ("dramatiq", "asyncio", "uvicorn.error", "aiohttp")
    levels = {name: logging.getLogger(name).level for name in quiet}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, old in levels.items():
        logging.getLogger(name).setLevel(old)


def lines(capsys: Capture) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_is_one_json_object(capsys: Capture) -> None:
    log.set_up("info")

    logging.getLogger("some.place").info("hello %s", "wörld\n2", extra={"count": 3})
    logging.getLogger("some.place").debug("not shown")

    (line,) = lines(capsys)
    at = line.pop("at")
    assert line == {"level": "info", "logger": "some.place", "event": "hello wörld\n2", "count": 3}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", at)


def test_the_time_is_utc_wherever_the_process_runs() -> None:
    record = logging.makeLogRecord({"msg": "x", "created": 0.25, "msecs": 250.0})

    line = json.loads(log.JsonFormatter().format(record))

    assert line["at"] == "1970-01-01T00:00:00.250Z"


def test_bound_fields_are_on_every_line_of_the_context(capsys: Capture) -> None:
    log.set_up("INFO")

    def inside() -> None:
        log.bind(execution_id="e1")
        log.bind(worker_id="w1")
        logging.getLogger("x").info("in")

    contextvars.copy_context().run(inside)
    logging.getLogger("x").info("out")

    first, second = lines(capsys)
    assert (first["executionId"], first["workerId"]) == ("e1", "w1")
    assert "executionId" not in second


def test_a_line_names_the_trace_of_its_context(capsys: Capture) -> None:
    log.set_up("INFO")

    def inside() -> None:
        CURRENT.set(TraceContext("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", False))
        logging.getLogger("x").info("in")

    contextvars.copy_context().run(inside)
    logging.getLogger("x").info("out")

    first, second = lines(capsys)
    assert first["traceId"] == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert "traceId" not in second


def test_a_traceback_stays_within_its_line(capsys: Capture) -> None:
    log.set_up("INFO")

    try:
        raise ValueError("no")
    except ValueError:
        logging.getLogger("x").exception("failed")

    (line,) = lines(capsys)
    assert line["event"] == "failed"
    assert "ValueError: no" in line["traceback"]


@pytest.mark.parametrize(
    "value",
    [object(), {1: {2}}, b"\xff", float("nan"), "\ud800", {"\ud800": 1}, {"a": 10**400}],
)
def test_no_value_loses_the_line(capsys: Capture, value: object) -> None:
    log.set_up("INFO")

    logging.getLogger("x").info("odd", extra={"value": value})

    (line,) = lines(capsys)
    assert line["event"] == "odd"


def test_a_text_that_is_no_unicode_is_logged_all_the_same(capsys: Capture) -> None:
    log.set_up("INFO")

    logging.getLogger("x").info("odd \ud800")

    (line,) = lines(capsys)
    assert line["event"].startswith("odd ")


def test_libraries_speak_up_only_to_warn(capsys: Capture) -> None:
    log.set_up("DEBUG")

    logging.getLogger("dramatiq").info("chatter")
    logging.getLogger("dramatiq").warning("trouble")

    assert [line["event"] for line in lines(capsys)] == ["trouble"]


def test_a_level_that_is_none_is_refused(capsys: Capture) -> None:
    with pytest.raises(ValueError):
        log.set_up("loud")


@pytest.mark.A94c
@pytest.mark.A98e
@pytest.mark.parametrize(
    ("secret", "shown"),
    [
        ("hr_live_abcd" + "e" * 39 + "_12wxyz", "hr_live_abcd…"),
        ("hr_session_" + "-_" * 20 + "a_b_123456", "hr_session_-_-_…"),
        ("whsec_" + "Ab+/" * 10 + "=", "whsec_…"),
        ("http://h/hooks/abc-_f" + "Zz-_9" * 7 + "aa", "http://h/hooks/abc-_f…"),
        ("http://h/approvals/AbCd-_" + "Zz-_9" * 7 + "aa", "http://h/approvals/AbCd-_…"),
    ],
)
def test_no_line_tells_a_key_wherever_it_stands(capsys: Capture, secret: str, shown: str) -> None:
    log.set_up("INFO")

    try:
        raise ValueError(f"not {secret}!")
    except ValueError:
        extra = {"path": f"/x/{secret}", "deep": {"list": [secret, "x" * 2_030 + secret]}}
        logging.getLogger("x").exception("refused %s", secret, extra=extra)

    text = capsys.readouterr().err
    assert secret[: len(shown) + 4] not in text
    assert json.loads(text)["event"] == f"refused {shown}"
    assert f"ValueError: not {shown}!" in text
