"""Parser of the `[[pricing]]` of a manifest."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from engine.models.pricing import IMAGE_TOKENS, Price, Unit
from engine.models.tables.table_checks import MAX_COUNT, is_count, unknown_members
from engine.values.fields import NUMBERS, Field

MAX_USD = Decimal(1_000)
MAX_PLACES = 12
USD = re.compile(rf"[0-9]{{1,4}}(?:\.[0-9]{{1,{MAX_PLACES}}})?")
PRICE_MEMBERS = ("unit", "usd", "field", "atMost", "perImage")
COUNTED = (Unit.SECOND, Unit.INPUT_SECOND, Unit.INPUT_TOKEN, Unit.OUTPUT_TOKEN)
"""Units of which a single call may consume several."""


def parse_pricing(
    raw: object, fields: Iterable[Field] | None, reasons: list[str]
) -> Iterator[Price]:
    """Yield the prices; faults are added to `reasons`. `fields` is None if they are invalid."""
    if not isinstance(raw, list):
        reasons.append("pricing must be a list of tables, [[pricing]]")
        return
    known = None if fields is None else {field.name: field for field in fields}
    taken: set[object] = set()
    for position, item in enumerate(raw):
        path = f"pricing[{position}]"
        faults = list(_price_faults(path, item, known))
        if not faults and item["unit"] in taken:
            faults.append(f"{path}.unit '{item['unit']}' has a price already")
        reasons.extend(faults)
        if not faults:
            taken.add(item["unit"])
            yield _price(item, known)


def _price(item: Mapping[str, Any], fields: Mapping[str, Field] | None) -> Price:
    name = item.get("field")
    limit = item.get("atMost", 1)
    if name is not None and fields is not None:
        limit = math.ceil(fields[name].max or 0)
    return Price(
        unit=Unit(item["unit"]),
        usd=Decimal(item["usd"]),
        field=name,
        at_most=limit,
        per_image=item.get("perImage", IMAGE_TOKENS),
    )


def _price_faults(path: str, item: object, fields: Mapping[str, Field] | None) -> Iterator[str]:
    if not isinstance(item, dict):
        yield f"{path} must be a table, [[pricing]]"
        return
    yield from unknown_members(path, item, PRICE_MEMBERS)
    unit = item.get("unit")
    if unit not in list(Unit):
        yield f"{path}.unit must be one of {', '.join(Unit)}"
    if not _is_usd(item.get("usd")):
        yield (
            f'{path}.usd must be a decimal number in quotes, as "0.010", from 0 to {MAX_USD} '
            f"with at most {MAX_PLACES} places"
        )
    yield from _count_faults(path, item, fields)
    yield from _image_faults(path, item)


def _count_faults(
    path: str, item: Mapping[str, Any], fields: Mapping[str, Field] | None
) -> Iterator[str]:
    name, limit, unit = item.get("field"), item.get("atMost"), item.get("unit")
    if unit == Unit.CALL and (name is not None or limit is not None):
        yield f"{path}.unit 'call' counts by itself; leave out field and atMost"
    elif unit == Unit.INPUT_SECOND and name is not None:
        yield f"{path}.unit 'input_second' is measured; it has atMost, and no field"
    elif name is not None and limit is not None:
        yield f"{path} has both field and atMost; one of them says how many there are"
    elif name is not None:
        if not isinstance(name, str) or (fields is not None and not _counts(fields.get(name))):
            yield f"{path}.field must name a number field with a max over 0, at most {MAX_COUNT}"
    elif limit is not None:
        if not is_count(limit):
            yield f"{path}.atMost must be a whole number from 1 to {MAX_COUNT}"
    elif unit == Unit.INPUT_SECOND:
        yield f"{path}.unit 'input_second' needs atMost, the longest that a call can take"
    elif unit in COUNTED:
        yield f"{path}.unit '{unit}' needs field or atMost, to know how many a call can take"


def _image_faults(path: str, item: Mapping[str, Any]) -> Iterator[str]:
    if "perImage" not in item:
        return
    if item.get("unit") != Unit.INPUT_TOKEN:
        yield f"{path}.perImage is for the unit 'input_token' alone"
    elif not is_count(item["perImage"]):
        yield f"{path}.perImage must be a whole number from 1 to {MAX_COUNT}"


def _counts(field: Field | None) -> bool:
    if field is None or field.type not in NUMBERS or field.max is None:
        return False
    return 0 < field.max <= MAX_COUNT


def _is_usd(value: object) -> bool:
    if not isinstance(value, str) or not USD.fullmatch(value):
        return False
    return Decimal(value) <= MAX_USD
