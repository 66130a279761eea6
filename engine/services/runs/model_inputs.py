"""Check of the sounds and videos of a run of one model, before it is accepted."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from engine.errors import AssetNotFound, InvalidInputs
from engine.graph.plan import Plan
from engine.models.input_lengths import TOO_LONG, UNKNOWN
from engine.models.manifest import Model
from engine.models.registry import find_model
from engine.services.media import MediaService
from engine.values.fields import TIMED, FieldType

ONE = "is required, or a video in its place"
NOT_BOTH = "is given beside '{}', and a transcript is made of one of them"


async def check_model_inputs(
    plan: Plan, inputs: Mapping[str, Any], media_service: MediaService, account_id: str
) -> None:
    """Check that a model has the sound that it transcribes, and that assets have a fit length.

    Workers measure media at foreign URLs. Raises InvalidInputs.
    """
    model = find_model(next(iter(plan.models.values()), ""))
    if model is None:
        return
    given = {each.name: inputs[each.name] for each in _timed(model) if inputs.get(each.name)}
    if model.is_transcriber:
        _require_one(model, list(given))
    price = model.input_second_price
    if price is None:
        return
    total = Decimal(0)
    for name, url in given.items():
        total += await _seconds(name, url, media_service, account_id)
        if total > price.at_most:
            raise InvalidInputs(name, TOO_LONG.format(price.at_most, total))


def _timed(model: Model) -> list[Any]:
    return [each for each in model.fields if each.type in TIMED]


def _require_one(model: Model, given: list[str]) -> None:
    if not given:
        sound = next(each.name for each in model.fields if each.type is FieldType.AUDIO)
        raise InvalidInputs(sound, ONE)
    if len(given) > 1:
        raise InvalidInputs(given[1], NOT_BOTH.format(given[0]))


async def _seconds(name: str, url: Any, media_service: MediaService, account_id: str) -> Decimal:
    """Return the length of an asset, 0 for media elsewhere."""
    if not isinstance(url, str) or not media_service.is_own(url):
        return Decimal(0)
    try:
        asset = await media_service.find(url, reader=account_id)
    except AssetNotFound:
        return Decimal(0)
    if asset.duration_ms is None:
        raise InvalidInputs(name, UNKNOWN)
    return Decimal(asset.duration_ms) / 1000
