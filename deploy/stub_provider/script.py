"""Script of a call: delays, failures and broken answers."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from deploy.stub_provider.errors import StubRefused

FAULTS = frozenset({"drip", "hang", "garbage", "huge", "cut", "wrong-type", "stream-error"})
"""Faults of an answer; a script names one as a bare word."""
ODD = frozenset({"twice", "no-id", "same-id", "null", "broken", "list", "cut"})
"""Odd forms of calls of tools."""

MAX_BYTES = 33_554_432
_NUMBERS = {"delay", "fail", "times", "pace", "job", "poll", "retry-after", "bytes"}
_WORDS = {"key", "end", "output", "call", "odd"}
_MARK = re.compile(r"\[\[stub\b([^\]]*)\]\]")
_MARK_BYTES = re.compile(rb"\[\[stub\b([^\]]*)\]\]")
_MODEL = re.compile(r"stub-(?:slow-(?P<delay>\d+)ms|fail-(?P<fail>\d{3})|(?P<fault>[a-z-]+))")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallScript:
    """Times are milliseconds, `retry_after` seconds; `times` 0 means every time.

    `bytes` is the least size of pictures that are sent as data. `call` are the tools to call, as
    `a+b|c`, and `odd` the form of these calls that the protocol does not have.
    """

    delay: float = 0
    fail: int = 0
    retry_after: float = 0
    times: int = 0
    key: str = ""
    fault: str = ""
    pace: float = 0
    job: float = 200
    poll: int = 0
    bytes: int = 0
    end: str = ""
    output: str = ""
    call: str = ""
    odd: str = ""


def read_script(*texts: str, model: str = "", body: bytes = b"", base: str = "") -> CallScript:
    """Parse the script of a call: of `base`, the model, marks in the body, and `texts`; last wins.

    Raises StubRefused for an unknown word.
    """
    members: dict[str, Any] = {}
    members |= _parse(base)
    members |= _of_model(model)
    for mark in _MARK_BYTES.findall(body):
        members |= _parse(mark.decode(errors="replace"))
    for text in texts:
        members |= _parse(text)
    return CallScript(**members) if members else _PLAIN


def without_marks(text: str) -> str:
    """Return a text without its `[[stub …]]`, so that an answer does not carry a script on."""
    return _MARK.sub("", text).strip() if "[[stub" in text else text


_PLAIN = CallScript()


def _parse(text: str) -> Mapping[str, Any]:
    return dict(_entries(text)) if text else {}


def _entries(text: str) -> Iterator[tuple[str, Any]]:
    for word in re.split(r"[;,\s]+", text.strip()):
        name, has_value, value = word.partition("=")
        if word in FAULTS:
            yield "fault", word
        elif name == "odd" and value not in ODD:
            raise StubRefused(400, f"(stub) no call is odd by '{value}'.", param="x-stub")
        elif name in _WORDS and has_value:
            yield name, value
        elif name in _NUMBERS and re.fullmatch(r"\d+(\.\d+)?", value):
            yield _number(name.replace("-", "_"), value)
        elif word:
            raise StubRefused(400, f"(stub) no script has '{word}'.", param="x-stub")


def _number(name: str, value: str) -> tuple[str, float]:
    whole = name in {"fail", "times", "poll", "bytes"}
    number = int(float(value)) if whole else float(value)
    if name == "bytes" and number > MAX_BYTES:
        raise StubRefused(400, f"(stub) 'bytes' is {MAX_BYTES} at most.", param="x-stub")
    if name in {"fail", "poll"} and not 400 <= number <= 599:
        raise StubRefused(400, f"(stub) '{name}' is a status from 400 to 599.", param="x-stub")
    return name, number


def _of_model(model: str) -> Mapping[str, Any]:
    words = _MODEL.search(model)
    if words is None:
        return {}
    if words["delay"]:
        return {"delay": float(words["delay"])}
    if words["fail"]:
        return dict([_number("fail", words["fail"])])
    return {"fault": words["fault"]} if words["fault"] in FAULTS else {}
