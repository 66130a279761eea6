"""Fields: inputs of a workflow, and their check."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeGuard

from engine.errors import InvalidInputs
from engine.errors.nodes import SettingFault, SettingsError
from engine.media.ids import is_asset_id
from engine.net.url_policy import URL_REST
from engine.values.ignored_names import warn_of_ignored
from engine.values.plain import MAX_INTEGER, MIN_INTEGER, fault, has_nul, is_text, kind_of
from engine.values.sockets import SocketType

MAX_FIELDS = 100
MAX_OPTIONS = 200
MAX_TEXT = 1_000
"""Characters of a label, a helper text or an option."""
MAX_URL = 2_048

NAME_PATTERN = re.compile(r"(?! )[^\x00-\x1f\x7f]{1,64}(?<! )")
NAME_RULE = "must be a text of 1 to 64 printable characters"


class FieldType(StrEnum):
    """Type of a field, as the form shows it."""

    TEXT = "text"
    TEXTAREA = "textarea"
    NUMBER = "number"
    SLIDER = "slider"
    PILLS = "pills"
    TOGGLE = "toggle"
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    FILE = "file"
    JSON = "json"


TEXTS = frozenset({FieldType.TEXT, FieldType.TEXTAREA})
NUMBERS = frozenset({FieldType.NUMBER, FieldType.SLIDER})
CHOICES = TEXTS | NUMBERS | {FieldType.PILLS}
SOCKETS: dict[FieldType, SocketType] = {
    FieldType.TEXT: SocketType.TEXT,
    FieldType.TEXTAREA: SocketType.TEXT,
    FieldType.IMAGE: SocketType.IMAGE,
    FieldType.VIDEO: SocketType.VIDEO,
    FieldType.AUDIO: SocketType.AUDIO,
    FieldType.FILE: SocketType.FILE,
}
"""Types of fields with an own output socket."""
MEDIA = frozenset({FieldType.IMAGE, FieldType.VIDEO, FieldType.AUDIO, FieldType.FILE})
TIMED = frozenset({FieldType.VIDEO, FieldType.AUDIO})
"""Types of fields whose values have a length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One input of a workflow."""

    name: str
    label: str
    type: FieldType
    required: bool = False
    default: Any = None
    """None: no default."""
    options: tuple[str | int | float, ...] = ()
    min: int | float | None = None
    max: int | float | None = None
    step: int | float | None = None
    max_length: int | None = None
    helper_text: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the field in the format of the API."""
        optional = {
            "default": self.default,
            "options": list(self.options) or None,
            "min": self.min,
            "max": self.max,
            "step": self.step,
            "maxLength": self.max_length,
            "helperText": self.helper_text,
        }
        shown = {key: value for key, value in optional.items() if value is not None}
        required = {"label": self.label, "type": str(self.type), "required": self.required}
        return {"name": self.name} | required | shown


def parse_fields(raw: object) -> tuple[Field, ...]:
    """Parse the `fields` of a Request Input. Raises SettingsError with all reasons."""
    if raw is None:
        return ()
    if not isinstance(raw, list):
        raise SettingsError(SettingFault("fields must be a list of objects", "fields"))
    if len(raw) > MAX_FIELDS:
        reason = f"fields has {len(raw)} entries; at most {MAX_FIELDS} are allowed"
        raise SettingsError(SettingFault(reason, "fields"))
    parsed: list[Field] = []
    reasons: list[SettingFault] = []
    for position, item in enumerate(raw):
        try:
            parsed.append(_parse_field(item))
        except SettingsError as error:
            reasons += [
                _place(f"fields[{position}]", each.reason, is_beyond_schema=each.is_beyond_schema)
                for each in error.faults
            ]
    names = [field.name for field in parsed]
    doubled = sorted({name for name in names if names.count(name) > 1})
    reasons += [
        SettingFault(f"fields has the name '{name}' more than once", "fields", True)
        for name in doubled
    ]
    if reasons:
        raise SettingsError(*reasons)
    return tuple(parsed)


def check_inputs(
    fields: Iterable[Field],
    inputs: Mapping[str, Any],
    *,
    strict: bool,
    allow_http: bool = False,
    allow_assets: bool = False,
    allow_nul: bool = True,
) -> dict[str, Any]:
    """Return the inputs of a run with defaults filled in. Raises InvalidInputs.

    `allow_assets`: a medium may be given as an asset's id, which the caller resolves.
    `allow_nul`: texts may contain NUL, which expressions cannot handle.
    """
    checked: dict[str, Any] = {}
    names = set()
    for field in fields:
        names.add(field.name)
        if field.name in inputs:
            value = inputs[field.name]
            reason = _value_fault(field, value, allow_http=allow_http, allow_assets=allow_assets)
            if not reason and not allow_nul and has_nul(value):
                reason = "has a NUL character in a text"
            if reason:
                raise InvalidInputs(field.name, reason)
            checked[field.name] = value
        elif field.default is not None:
            checked[field.name] = field.default
        elif field.required:
            raise InvalidInputs(field.name, "is required")
    if strict:
        for name in inputs:
            if name not in names:
                raise InvalidInputs(name[:200], "unknown field")
    return checked


def check_types(
    fields: Iterable[Field], values: Mapping[str, Any], *, allow_nul: bool = True
) -> dict[str, Any]:
    """Return the values, each of the type of its field; other rules of fields do not hold.

    Raises InvalidInputs, also for a value without a field.
    """
    bare = [
        Field(
            name=each.name,
            label=each.label,
            type=each.type,
            options=each.options if each.type is FieldType.PILLS else (),
        )
        for each in fields
    ]
    return check_inputs(bare, values, strict=True, allow_nul=allow_nul)


def unknown_inputs(fields: Iterable[Field], inputs: Mapping[str, Any]) -> tuple[str, ...]:
    """Return warnings about inputs without a field."""
    known = {field.name for field in fields}
    return warn_of_ignored("input", inputs, known, "there is no field of that name")


def _place(path: str, reason: str, *, is_beyond_schema: bool) -> SettingFault:
    """Return the fault at a path, to which the reason adds a member of the field."""
    member = reason.partition(" ")[0]
    return SettingFault(f"{path}{reason}", f"{path}{member}", is_beyond_schema)


def is_name(value: object) -> TypeGuard[str]:
    """Return True for a valid name of a field and of the socket named after it."""
    return isinstance(value, str) and is_text(value) and bool(NAME_PATTERN.fullmatch(value))


def _parse_field(item: object) -> Field:
    if not isinstance(item, dict):
        raise SettingsError(" must be an object")
    reasons = list(_shape_faults(item))
    if reasons:
        raise SettingsError(*reasons)
    kind = FieldType(item["type"])
    options = item.get("options") if kind in CHOICES else None
    numeric = item if kind in NUMBERS else {}
    limit = item.get("maxLength")
    field = Field(
        name=item["name"],
        label=item.get("label") or item["name"],
        type=kind,
        required=bool(item.get("required")),
        default=item.get("default"),
        options=tuple(options or ()),
        min=numeric.get("min"),
        max=numeric.get("max"),
        step=numeric.get("step"),
        max_length=int(limit) if kind in TEXTS and limit is not None else None,
        helper_text=item.get("helperText"),
    )
    rules = [SettingFault(reason, is_beyond_schema=True) for reason in _range_faults(field)]
    if rules:
        raise SettingsError(*rules)
    return field


def _shape_faults(item: dict[str, Any]) -> Iterator[str]:
    if not is_name(item.get("name")):
        yield f".name {NAME_RULE}"
    if item.get("type") not in list(FieldType):
        yield f".type must be one of {', '.join(FieldType)}"
    for key in ("label", "helperText"):
        if not _is_short_text(item.get(key, "")) and item[key] is not None:
            yield f".{key} must be a text of at most {MAX_TEXT} characters"
    if not isinstance(item.get("required", False), bool):
        yield ".required must be true or false"
    for key in ("min", "max", "step"):
        if item.get(key) is not None and not _is_number(item[key]):
            yield f".{key} must be a number"
    limit = item.get("maxLength")
    if limit is not None and not (_is_number(limit) and limit == limit // 1 and limit >= 1):
        yield ".maxLength must be a whole number of at least 1"
    if not _is_options(item.get("options")):
        yield f".options must be a list of at most {MAX_OPTIONS} texts or numbers"


def _range_faults(field: Field) -> Iterator[str]:
    if field.type is FieldType.PILLS and not field.options:
        yield ".options must have at least one entry for pills"
    if field.min is not None and field.max is not None and field.min > field.max:
        yield f".min is {field.min} and must not be over max, {field.max}"
    if field.step is not None and field.step <= 0:
        yield ".step must be over 0"
        return
    for position, option in enumerate(field.options):
        reason = _value_fault(field, option, allow_http=True)
        if reason:
            yield f".options[{position}] {reason}"
    reason = _value_fault(field, field.default, allow_http=True)
    if field.default is not None and reason:
        yield f".default {reason}"


def _is_short_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= MAX_TEXT and is_text(value)


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) if isinstance(value, float) else _is_integer(value)


def _is_integer(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int):
        return False
    return MIN_INTEGER <= value <= MAX_INTEGER


def _is_options(value: object) -> bool:
    if value is None:
        return True
    if not isinstance(value, list) or len(value) > MAX_OPTIONS:
        return False
    return all(_is_short_text(option) or _is_number(option) for option in value)


def _value_fault(
    field: Field, value: Any, *, allow_http: bool, allow_assets: bool = False
) -> str | None:
    """Return the reason why a value does not fit, as the end of a sentence, or None."""
    if field.type in NUMBERS:
        reason = _number_fault(field, value)
    elif field.type in TEXTS:
        reason = _text_fault(field, value)
    elif field.type is FieldType.TOGGLE:
        reason = None if isinstance(value, bool) else f"must be true or false, not {kind_of(value)}"
    elif field.type is FieldType.JSON:
        reason = fault(value)
    elif field.type is FieldType.PILLS:
        reason = None
    else:
        reason = _medium_fault(value, allow_http, allow_assets)
    return reason or _option_fault(field, value)


def _number_fault(field: Field, value: Any) -> str | None:
    if not _is_number(value):
        return f"must be a number of at most 64 bits, not {kind_of(value)}"
    if field.min is not None and value < field.min:
        return f"must be at least {field.min}"
    if field.max is not None and value > field.max:
        return f"must be at most {field.max}"
    if field.step is not None and not is_on_step(value, field.step, field.min or 0):
        return f"must be {field.min or 0} plus a multiple of {field.step}"
    return None


def is_on_step(value: int | float, step: int | float, start: int | float) -> bool:
    """Return True if a value is `start` plus a multiple of `step`, but for rounding."""
    distance = to_decimal(value) - to_decimal(start)
    nearest = (distance / to_decimal(step)).to_integral_value() * to_decimal(step)
    return abs(distance - nearest) <= Decimal("1e-9") * max(Decimal(1), abs(distance))


def to_decimal(value: int | float) -> Decimal:
    """Return a number as its shortest decimal notation reads."""
    return Decimal(repr(value))


def _text_fault(field: Field, value: Any) -> str | None:
    if not isinstance(value, str):
        return f"must be a text, not {kind_of(value)}"
    if not is_text(value):
        return "must be valid Unicode"
    if field.max_length is not None and len(value) > field.max_length:
        return f"must have at most {field.max_length} characters"
    return None


def _medium_fault(value: Any, allow_http: bool, allow_assets: bool) -> str | None:
    wanted = "the id of an asset or a URL" if allow_assets else "a URL"
    if not isinstance(value, str):
        return f"must be {wanted}, not {kind_of(value)}"
    if len(value) > MAX_URL:
        return f"must be {wanted} of at most {MAX_URL} characters"
    is_asset = allow_assets and is_asset_id(value)
    if not is_asset and not re.fullmatch(url_scheme(allow_http) + URL_REST, value):
        schemes = "https:// or http://" if allow_http else "https://"
        return f"must be {wanted} that starts with {schemes}"
    return None


def url_scheme(allow_http: bool) -> str:
    """Return the pattern of allowed schemes of URLs."""
    return "https?" if allow_http else "https"


def _option_fault(field: Field, value: Any) -> str | None:
    if not field.options:
        return None
    if not isinstance(value, bool) and value in field.options:
        return None
    return f"must be one of {', '.join(str(option) for option in field.options)}"
