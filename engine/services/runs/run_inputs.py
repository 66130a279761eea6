"""Check of a run's inputs: adds defaults and replaces asset ids by links."""

import contextlib
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, Protocol, TypeVar

from msgspec import Struct

from engine.errors import AssetNotFound, InvalidInputs
from engine.graph.plan import Plan
from engine.media.documents.types import PDF
from engine.media.ids import is_asset_id
from engine.models.calls.call_checks import MAX_FILES, check_call
from engine.models.input_lengths import TOO_LONG, UNKNOWN
from engine.models.manifest import Model
from engine.models.registry import find_model
from engine.services.media import MediaService
from engine.store import Asset
from engine.values.fields import MEDIA, TIMED, Field, FieldType, check_inputs

T = TypeVar("T")
NO_PDF = (
    "names a file that is {}, and models take PDFs alone; the node documentText gives the text of "
    "other documents"
)
ONE = "is required, or a video in its place"
NOT_BOTH = "is given beside '{}', and a transcript is made of one of them"


class WorkRunner(Protocol):
    """Runs a function that takes long for large inputs, possibly in another thread."""

    async def __call__(self, work: Callable[[], T], /) -> T:
        """Return the result of the work."""
        ...


async def run_here(work: Callable[[], T]) -> T:
    """Do the work on the event loop."""
    return work()


class AssetUse(Struct, frozen=True):
    """Account whose assets a run may name, and execution that keeps them alive."""

    media_service: MediaService
    account_id: str
    execution_id: str


async def check_run_inputs(
    plan: Plan,
    raw_inputs: Mapping[str, Any],
    use: AssetUse,
    *,
    is_model: bool,
    allow_http: bool,
    runner: WorkRunner,
) -> dict[str, Any]:
    """Return the checked inputs of a run of the plan. Raises InvalidInputs."""
    check = check_call if is_model else partial(check_inputs, allow_nul=not plan.has_expressions)
    named = {each.name: each for each in plan.fields if each.type in MEDIA}
    raw = {name: raw_inputs[name] for name in named if name in raw_inputs}
    checking = partial(
        check,
        plan.fields,
        {**raw_inputs, **{name: _named(use, value) for name, value in raw.items()}},
        strict=plan.strict_inputs,
        allow_http=allow_http,
        allow_assets=True,
    )
    inputs = await runner(checking)
    for name in named.keys() & inputs.keys():
        linking = _Linking(use=use, field=named[name], only_pdfs=is_model)
        inputs[name] = await linking.link(inputs[name], raw.get(name))
    if is_model:
        await check_model_inputs(plan, inputs, use.media_service, use.account_id)
    return inputs


def _named(use: AssetUse, value: Any) -> Any:
    """Return the asset's id for a link to one, also within a list; other values as they are."""
    if isinstance(value, list):
        is_short = len(value) <= MAX_FILES  # a longer list is refused anyway
        return [use.media_service.linked(each) or each for each in value] if is_short else value
    return use.media_service.linked(value) or value


class _Linking(Struct, frozen=True, kw_only=True):
    """Replaces the ids of assets at a field by links."""

    use: AssetUse
    field: Field
    only_pdfs: bool
    """Files are PDFs, which alone go to models."""

    async def link(self, value: Any, given: Any) -> Any:
        """Return the value with links; `given` is what the caller gave. Raises InvalidInputs."""
        if isinstance(value, list):
            return [await self.link(*pair) for pair in zip(value, given, strict=True)]
        if not is_asset_id(value):
            return value
        link = None if given == value else given
        return await link_asset(self.use, self.field, value, link, only_pdfs=self.only_pdfs)


async def link_asset(
    use: AssetUse, field: Field, asset_id: str, link: str | None, *, only_pdfs: bool = False
) -> str:
    """Return a link to an asset for the run; `link` is the one that the caller gave, if any."""
    asset, url = await find_asset(use, asset_id, link)
    if reason := asset_fault(field, asset, link):
        raise InvalidInputs(field.name, reason)
    kind = None if asset is None else asset.content_type
    if only_pdfs and field.type is FieldType.FILE and kind not in (None, PDF):
        raise InvalidInputs(field.name, NO_PDF.format(kind))
    return url


async def find_asset(use: AssetUse, asset_id: str, link: str | None) -> tuple[Asset | None, str]:
    """Return an asset of the account, which is kept, or another one's by its link; and a link.

    The asset is None where there is none.
    """
    try:
        return await use.media_service.use(use.account_id, asset_id, use.execution_id)
    except AssetNotFound:
        return await find_linked(use.media_service, link), link or ""


async def find_linked(media_service: MediaService, link: str | None) -> Asset | None:
    """Return the asset of another account by its link, which authorizes its reader."""
    with contextlib.suppress(AssetNotFound):
        return None if link is None else await media_service.find(link)
    return None


def asset_fault(field: Field, asset: Asset | None, link: str | None) -> str | None:
    """Return the reason why an asset that was looked for does not fit a field, or None."""
    if asset is None:
        is_link = link is not None
        return "is a link that leads to no asset any more" if is_link else "names no asset of yours"
    if asset.medium.value != field.type.value:
        return f"names an asset that is {asset.medium}, not {field.type}"
    return None


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


def _timed(model: Model) -> list[Field]:
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
    if not asset.duration_ms:
        raise InvalidInputs(name, UNKNOWN)
    return Decimal(asset.duration_ms) / 1000
