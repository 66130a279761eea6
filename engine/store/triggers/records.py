"""Records of triggers: packed settings, and the fields beside them in the hash of the account."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from engine.errors import InvalidTrigger, RecordTooNew
from engine.store.formats import Format
from engine.store.redis.record_packing import pack, unpack
from engine.triggers.occurrences import Occurrence, parse_occurrence
from engine.triggers.trigger import (
    MOST_SETTINGS_BYTES,
    Trigger,
    TriggerKind,
    TriggerSettings,
)

FIELDS = (
    *("enabled", "revision", "key", "created", "updated", "since"),
    *("next", "held", "last", "last_run", "skipped", "token", "hook", "secret"),
    *("forgotten", "pins"),
)
"""Names of the fields of a trigger beside its settings."""


def field(trigger_id: str, name: str) -> str:
    """Return the name of a field of a trigger in the hash."""
    return f"{trigger_id}.{name}"


def pack_settings(settings: TriggerSettings, former: bytes = b"") -> bytes:
    """Return the packed settings, with members of a later version in the former ones.

    Raises InvalidTrigger when they are too large, or hold numbers that records lack.
    """
    members = msgspec.to_builtins(settings, builtin_types=(bytes,))
    kept = unpack(former) if former else Format.TRIGGER.members
    try:
        packed = pack({**kept, **members})
    except OverflowError:
        raise InvalidTrigger("inputs", "Whole numbers in 'inputs' have at most 64 bits") from None
    if len(packed) > MOST_SETTINGS_BYTES:
        reason = f"All settings together take at most {MOST_SETTINGS_BYTES} bytes"
        raise InvalidTrigger("inputs", reason)
    return packed


def parse_settings(packed: bytes) -> TriggerSettings:
    """Return packed settings. Raises RecordTooNew."""
    members = unpack(packed)
    Format.TRIGGER.check(members)
    try:
        return msgspec.convert(members, TriggerSettings, builtin_types=(bytes,))
    except msgspec.ValidationError:  # a choice of a later release
        raise RecordTooNew(Format.TRIGGER.noun) from None


def trigger_fields(trigger_id: str) -> list[str]:
    """Return the names of all fields of a trigger in the hash, its settings first."""
    return [trigger_id, *(field(trigger_id, name) for name in FIELDS)]


def split_triggers(record: Mapping[str, bytes]) -> Iterable[tuple[str, Sequence[bytes | None]]]:
    """Yield the ids of all triggers of a hash, each with its values by `trigger_fields`."""
    for name in record:
        if "." not in name:
            yield name, [record.get(each) for each in trigger_fields(name)]


def parse_trigger(
    account_id: str, trigger_id: str, values: Sequence[bytes | None], token: str | None
) -> Trigger | None:
    """Return the trigger of the values of its fields, None without one. Raises RecordTooNew."""
    packed, *others = values
    if packed is None:
        return None
    settings = parse_settings(packed)
    of: dict[str, Any] = dict(zip(FIELDS, others, strict=True))
    return Trigger(
        id=trigger_id,
        account_id=account_id,
        kind=settings.kind,
        settings=settings,
        enabled=of["enabled"] == b"1",
        created_by=(of["key"] or b"").decode(),
        created_at=int(of["created"]),
        updated_at=int(of["updated"]),
        revision=int(of["revision"]),
        since=int(of["since"]),
        next_at=_number(of["next"]),
        held=_number(of["held"]),
        token=token if settings.kind is TriggerKind.WEBHOOK else None,
        last=_parse_last(trigger_id, of["last"]),
        last_run=of["last_run"] and of["last_run"].decode(),
        skipped=_number(of["skipped"]) or 0,
    )


def _parse_last(trigger_id: str, record: bytes | None) -> Occurrence | None:
    """Return the occurrence of its id, a comma and its record."""
    if record is None:
        return None
    occurrence_id, _, rest = record.decode().partition(",")
    return parse_occurrence(trigger_id, occurrence_id, rest)


def _number(text: bytes | None) -> int | None:
    return int(text) if text else None
