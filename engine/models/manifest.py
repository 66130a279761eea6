"""Manifests: models described in TOML, checked with all faults reported at once."""

import math
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any

from engine.access.capabilities import SPECIFIC, Tier
from engine.errors.nodes import NodeFailed, SettingsError
from engine.models.calls.call_sections import CALLS, Call
from engine.models.calls.chat import Chat
from engine.models.dialects.anthropic import AnthropicSection
from engine.models.dialects.openai import OpenAIApi, OpenAISection
from engine.models.limits import ModelLimits, parse_limits
from engine.models.price_list import parse_pricing
from engine.models.pricing import Price, Unit, Usage
from engine.models.prompt_tokens import max_chat_tokens, max_prompt_tokens
from engine.models.tables.table_checks import MAX_COUNT, display_name, is_count, unknown_members
from engine.models.tables.table_reader import ManifestContext
from engine.models.tables.toml_positions import TomlPositions
from engine.values.fields import SOCKETS, TEXTS, Field, FieldType, parse_fields
from engine.values.sockets import SocketType

MAX_NAME = 100
MAX_DAYS = 3_650
TEXT = "text"
"""Field with the text that a model says."""
PARAMS = "params"
"""Socket of all fields without a socket of their own."""
MEMBERS = (
    *("internalName", "name", "category", "tier", "enabled", "source", "priceSource"),
    *("fields", "pricing", "trial", "limits", "fallback"),
)
MAX_SOURCE = 500
MAX_FALLBACKS = 5
FIELD_MEMBERS = (
    *("name", "label", "type", "required", "default", "options"),
    *("min", "max", "step", "maxLength", "helperText"),
)
AT_END = "(at end of document)"
POSITION = re.compile(r"\(?at line (\d+), column \d+\)?")
PATH = re.compile(r"[\w-]+(?:\[\d+\]|\.[\w-]+)*")
FIRST_STEP = re.compile(r"[.\[]")


class Category(StrEnum):
    """Kind of a model's output."""

    TEXT = "text"
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"

    @property
    def socket(self) -> SocketType:
        """Type of the output socket."""
        return SocketType(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Free trial for accounts of tiers with trials: a number of runs or of days."""

    runs: int | None = None
    days: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """Model of the registry: fields, prices, access and provider call."""

    internal_name: str
    name: str
    category: Category
    fields: tuple[Field, ...]
    pricing: tuple[Price, ...]
    tier: Tier
    """Lowest tier that may use it."""
    trial: Trial | None
    enabled: bool
    call: Call
    source: str = ""
    """Page that documents the call."""
    price_source: str = ""
    """Page with the prices; empty: the operator has to check them."""
    limits: ModelLimits = ModelLimits()
    fallback: tuple[str, ...] = ()
    """Internal names of models to call in turn if this one is unavailable."""
    manifest: str = ""
    """TOML that it was parsed from."""

    def max_usage(self, values: Mapping[str, Any], *, is_partial: bool = False) -> Usage:
        """Return the most that one call with these values can use.

        `is_partial`: further values are unknown, so the price's `at_most` bounds the tokens.
        """
        defaults = {field.name: field.default for field in self.fields}
        known = defaults | dict(values)
        counts = {price.unit: _max_units(price, known) for price in self.pricing}
        return Usage(
            calls=1,
            images=math.ceil(counts.get(Unit.IMAGE, self.category is Category.IMAGE)),
            seconds=counts.get(Unit.SECOND, Decimal(0)),
            input_seconds=counts.get(Unit.INPUT_SECOND, Decimal(0)),
            input_tokens=self._max_input_tokens(known, is_partial),
            output_tokens=math.ceil(counts.get(Unit.OUTPUT_TOKEN, 0)),
        )

    def max_chat_usage(self, values: Mapping[str, Any], chat: Chat | None) -> Usage:
        """Return the most that one turn of a chat can use.

        None: the chat is unknown, so the price's `at_most` bounds the tokens.
        """
        usage, price = self.max_usage(values, is_partial=True), self.input_price
        if chat is None or price is None or price.field is not None:
            return usage
        sent = max_chat_tokens(self.call, values, chat, price.per_image)
        return usage if sent is None else replace(usage, input_tokens=sent)

    @property
    def is_transcriber(self) -> bool:
        """Whether the model makes a text of a sound: its answer has `text` and `segments`."""
        return self.category is Category.TEXT and self._has(FieldType.AUDIO)

    @property
    def is_speaker(self) -> bool:
        """Whether the model says the text in its field `text`."""
        named = (each for each in self.fields if each.name == TEXT and each.type in TEXTS)
        return self.category is Category.AUDIO and any(named)

    def answers_like(self, other: "Model") -> bool:
        """Whether its answers have the form of the other model's."""
        return (self.category, self.is_transcriber) == (other.category, other.is_transcriber)

    def _has(self, kind: FieldType) -> bool:
        return any(each.type is kind for each in self.fields)

    @property
    def takes_tools(self) -> bool:
        """Whether the model continues chats with tools."""
        match self.call:
            case OpenAISection(api=OpenAIApi.CHAT, tools=takes_tools):
                return takes_tools
            case AnthropicSection(tools=takes_tools):
                return takes_tools
        return False

    @property
    def takes_documents(self) -> bool:
        """Whether chats with the model may have PDFs."""
        match self.call:
            case OpenAISection(api=OpenAIApi.CHAT, files=files) | AnthropicSection(files=files):
                return bool(files.names)
        return False

    @property
    def input_price(self) -> Price | None:
        """Price of input tokens, or None."""
        return next((price for price in self.pricing if price.unit is Unit.INPUT_TOKEN), None)

    @property
    def input_second_price(self) -> Price | None:
        """Price of a second of the sounds and videos that are sent, or None."""
        return next((price for price in self.pricing if price.unit is Unit.INPUT_SECOND), None)

    def _max_input_tokens(self, values: Mapping[str, Any], is_partial: bool) -> int:
        price = self.input_price
        if price is None or price.field is not None:
            return 0 if price is None else math.ceil(_max_units(price, values))
        try:
            sent = max_prompt_tokens(self.call, self.fields, values, price.per_image)
        except NodeFailed:  # such a call fails before it is sent
            sent = None
        if sent is not None and not is_partial:
            return sent
        return max(price.at_most, sent or 0)


@dataclass(frozen=True, slots=True)
class Fault:
    """Fault of a manifest, with its line if known."""

    line: int | None
    reason: str
    path: str = ""
    """Member at fault, such as `fields[0].type`; empty if unknown."""


class ManifestError(ValueError):
    """Invalid manifest; its text has a line `file:line: reason` for each fault."""

    def __init__(self, file: str, *faults: Fault) -> None:
        self.file = file
        self.faults = faults
        super().__init__("\n".join(f"{_place(file, fault)}: {fault.reason}" for fault in faults))


Rules = Callable[[Mapping[str, Any], Call | None], Iterable[str]]
"""Further checks of a manifest, by its table and its call, which is None if invalid."""


def no_rules(_: Mapping[str, Any], __: Call | None) -> Iterable[str]:
    """Report no further fault."""
    return ()


def parse_manifest(text: str, source: str, rules: Rules = no_rules) -> Model:
    """Parse a manifest. Raises ManifestError with all faults."""
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ManifestError(source, _syntax_fault(str(error), text)) from None
    reasons = list(_faults(table))
    fields = _parse_fields(table.get("fields"), reasons)
    pricing = tuple(parse_pricing(table.get("pricing", []), fields, reasons))
    trial = _parse_trial(table.get("trial"), reasons)
    limits = parse_limits(table.get("limits"), reasons)
    call = _parse_call(table, fields, reasons)
    reasons.extend(rules(table, call))
    if fields is None or call is None or reasons:
        lines = TomlPositions(text)
        raise ManifestError(source, *(_fault(lines, each) for each in reasons))
    return Model(
        internal_name=table["internalName"],
        name=table["name"],
        category=Category(table["category"]),
        fields=fields,
        pricing=pricing,
        tier=Tier(table["tier"]),
        trial=trial,
        enabled=table.get("enabled", True),
        call=call,
        source=table.get("source", ""),
        price_source=table.get("priceSource", ""),
        limits=limits,
        fallback=tuple(table.get("fallback", ())),
        manifest=text,
    )


def _max_units(price: Price, values: Mapping[str, Any]) -> Decimal:
    requested = values.get(price.field) if price.field is not None else None
    if isinstance(requested, bool) or not isinstance(requested, int | float):
        return Decimal(price.at_most)
    if not math.isfinite(requested):
        return Decimal(price.at_most)
    return min(max(Decimal(repr(requested)), Decimal(0)), Decimal(price.at_most))


def _place(file: str, fault: Fault) -> str:
    return file if fault.line is None else f"{file}:{fault.line}"


def _syntax_fault(message: str, text: str) -> Fault:
    position = POSITION.search(message)
    line = int(position[1]) if position else None
    if message.endswith(AT_END):
        line, message = text.rstrip().count("\n") + 1, message.removesuffix(AT_END)
    reason = POSITION.sub("", message).strip() or "is not TOML"
    return Fault(line, f"this is not TOML: {reason}")


def _one_line(reason: str) -> str:
    return " ".join(reason.splitlines())


def _fault(lines: TomlPositions, reason: str) -> Fault:
    """Return the fault with the path that its reason begins with."""
    match = PATH.match(reason)
    path = match.group() if match else ""
    is_member = FIRST_STEP.split(path, maxsplit=1)[0] in (*MEMBERS, *CALLS)
    return Fault(lines.find(path), _one_line(reason), path if is_member else "")


def _faults(table: Mapping[str, Any]) -> Iterator[str]:
    for key in table:
        if key not in MEMBERS and key not in CALLS:
            yield f"{display_name(key)} is unknown; known: {', '.join((*MEMBERS, *CALLS))}"
    name = table.get("internalName")
    if not isinstance(name, str) or not SPECIFIC.fullmatch(f"model:{name}:run"):
        yield "internalName must be a text of 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-'"
    title = table.get("name")
    if not isinstance(title, str) or not 0 < len(title.strip()) == len(title) <= MAX_NAME:
        yield f"name must be a text of 1 to {MAX_NAME} characters, without spaces around it"
    for key, choices in (("category", list(Category)), ("tier", list(Tier))):
        if table.get(key) not in choices:
            yield f"{key} must be one of {', '.join(choices)}"
    if not isinstance(table.get("enabled", True), bool):
        yield "enabled must be true or false"
    yield from _source_faults(table)
    if not _is_fallback(table.get("fallback", []), name):
        yield f"fallback must be a list of at most {MAX_FALLBACKS} internal names of other models"


def _source_faults(table: Mapping[str, Any]) -> Iterator[str]:
    for key in ("source", "priceSource"):
        page = table.get(key, "")
        if not isinstance(page, str) or len(page) > MAX_SOURCE:
            yield f"{key} must be a text of at most {MAX_SOURCE} characters"


def _parse_fields(raw: object, reasons: list[str]) -> tuple[Field, ...] | None:
    """Parse the fields; None if they are invalid, so that references to them are not checked."""
    try:
        fields = parse_fields(raw)
    except SettingsError as error:
        reasons.extend(error.reasons)
        return None
    for position, field in enumerate(fields):
        if field.name == PARAMS and field.type in SOCKETS:
            reasons.append(
                f"fields[{position}].name '{PARAMS}' is taken by the socket of that name"
            )
    for position, item in enumerate(raw if isinstance(raw, list) else []):
        reasons.extend(unknown_members(f"fields[{position}]", item, FIELD_MEMBERS))
    return fields


def _parse_trial(raw: object, reasons: list[str]) -> Trial | None:
    if raw is None:
        return None
    if not isinstance(raw, dict):
        reasons.append("trial must be a table, [trial]")
        return None
    faults = list(unknown_members("trial", raw, ("runs", "days")))
    runs, days = raw.get("runs"), raw.get("days")
    if (runs is None) == (days is None):
        faults.append("trial must have exactly one of runs and days")
    if runs is not None and not is_count(runs):
        faults.append(f"trial.runs must be a whole number from 1 to {MAX_COUNT}")
    if days is not None and not _is_days(days):
        faults.append(f"trial.days must be a number over 0 and at most {MAX_DAYS}")
    reasons.extend(faults)
    return None if faults else Trial(runs=runs, days=None if days is None else float(days))


def _parse_call(
    table: Mapping[str, Any], fields: Sequence[Field] | None, reasons: list[str]
) -> Call | None:
    sections = [key for key in CALLS if key in table]
    if len(sections) != 1:
        names = ", ".join(f"[{key}]" for key in CALLS)
        reasons.append(f"There must be exactly one section that says how it is called: {names}")
        return None
    section = sections[0]
    try:
        if not isinstance(table[section], dict):
            raise SettingsError(f" must be a table, [{section}]")
        context = ManifestContext(category=str(table.get("category")), fields=fields)
        return CALLS[section](table[section], context)
    except SettingsError as error:
        reasons.extend(f"{section}{reason}" for reason in error.reasons)
        return None


def _is_fallback(value: object, own_name: object) -> bool:
    if not isinstance(value, list) or len(value) > MAX_FALLBACKS:
        return False
    return all(isinstance(each, str) and each and each != own_name for each in value)


def _is_days(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 < value <= MAX_DAYS
