"""The form that answers an approval, as a browser sends it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.errors import InvalidBody
from engine.executions.node_waits import Decision
from engine.values.fields import NUMBERS, Field, FieldType
from gateway.approvals.controls import MULTILINE, PREFIX
from gateway.approvals.page import DECISION, NOTE, Filled
from gateway.hooks.event_body import FORM_DATA, FORM_URLENCODED, parse_event_body
from gateway.http.json_bodies import ANY, NO_OBJECT, check_count, check_values, parse_json

NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)
INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
MAX_DIGITS = 64
NOT_DECIDED = "Choose Approve or Refuse."
NO_FORM = "The answer must be sent as a form."
UNKNOWN = "The answer has a field that is not asked for."
REPEATED = "The answer has a field more than once."
TOGGLES = {"true": True, "false": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class SentForm:
    """A form that was sent: its decision, its values by name of the field, its texts and faults."""

    decision: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    """Values of the fields that were filled in."""
    note: str | None = None
    filled: Filled = field(default_factory=Filled)


def parse_form(fields: Sequence[Field], content_type: str, data: bytes) -> SentForm:
    """Parse a form; the values are not checked by the rules of their fields."""
    if content_type.partition(";")[0].strip().lower() not in {FORM_URLENCODED, FORM_DATA}:
        return _whole_fault(NO_FORM)
    try:
        sent: dict[str, Any] = parse_event_body(content_type, data)
    except InvalidBody as error:
        return _whole_fault(f"{error.message}.")
    texts = {name: text if isinstance(text, str) else text[0] for name, text in sent.items()}
    known = {DECISION, NOTE, *(PREFIX + each.name for each in fields)}
    faults = _faults_of_names(sent, known)
    if texts.get(DECISION) not in tuple(Decision):
        faults.setdefault(DECISION, NOT_DECIDED)
    values: dict[str, Any] = {}
    for each in fields:
        name = PREFIX + each.name
        text = _normalized(each.type in MULTILINE, texts.get(name, ""))
        try:
            if text:
                values[each.name] = _value(each, text)
        except ValueError as error:
            faults.setdefault(name, str(error))
    note = _normalized(True, texts.get(NOTE, ""))
    kept = {name: text for name, text in texts.items() if name in known}
    return SentForm(
        decision=texts.get(DECISION, ""),
        values=values,
        note=note or None,
        filled=Filled(texts=kept, faults=faults),
    )


def _whole_fault(sentence: str) -> SentForm:
    return SentForm(filled=Filled(faults={DECISION: sentence}))


def _faults_of_names(sent: Mapping[str, Any], known: Iterable[str]) -> dict[str, str]:
    if set(sent) - set(known):
        return {DECISION: UNKNOWN}
    if any(not isinstance(value, str) for value in sent.values()):
        return {DECISION: REPEATED}
    return {}


def _normalized(is_multiline: bool, text: str) -> str:
    """Return a text with the line breaks that its writer typed: forms send two characters."""
    return text.replace("\r\n", "\n") if is_multiline else text


def _value(field: Field, text: str) -> Any:
    """Return the value that a text stands for. Raises ValueError with a sentence."""
    option = next((each for each in field.options if str(each) == text), None)
    if option is not None:
        return option
    if field.type in NUMBERS:
        return _number(text.strip())
    if field.type is FieldType.TOGGLE:
        if text not in TOGGLES:
            raise ValueError("This must be true or false.")
        return TOGGLES[text]
    return _json(text) if field.type is FieldType.JSON else text


def _number(text: str) -> int | float:
    if len(text) > MAX_DIGITS or NUMBER.fullmatch(text) is None:
        raise ValueError("This must be a number.")
    return int(text) if INTEGER.fullmatch(text) else float(text)


def _json(text: str) -> Any:
    data = text.encode()
    try:
        check_count(data)
        value = parse_json(data, ANY)
        check_values({"value": value})
    except InvalidBody as error:
        # A number is all that the decoder refuses in JSON whose type is free.
        huge = "This has a number that is too large."
        reason = huge if error.message == NO_OBJECT else error.message.replace("The body", "This")
        raise ValueError(reason.rstrip(".") + ".") from None
    return value
