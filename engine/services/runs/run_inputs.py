"""Check of a run's inputs: adds defaults and replaces asset ids by links."""

import contextlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol, TypeVar

from msgspec import Struct

from engine.errors import AssetNotFound, InvalidInputs
from engine.graph.plan import Plan
from engine.media.ids import is_asset_id
from engine.models.calls.call_checks import check_call
from engine.services.media import MediaService
from engine.store import Asset
from engine.values.fields import MEDIA, Field, check_inputs

T = TypeVar("T")


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
    links = {
        name: asset_id
        for name in named
        if (asset_id := use.media_service.linked(raw_inputs.get(name)))
    }
    checking = partial(
        check,
        plan.fields,
        {**raw_inputs, **links},
        strict=plan.strict_inputs,
        allow_http=allow_http,
        allow_assets=True,
    )
    inputs = await runner(checking)
    for name, field in named.items():
        value = inputs.get(name)
        if is_asset_id(value):
            link = raw_inputs[name] if name in links else None
            inputs[name] = await link_asset(use, field, value, link)
    return inputs


async def link_asset(use: AssetUse, field: Field, asset_id: str, link: str | None) -> str:
    """Return a link to an asset for the run; `link` is the one that the caller gave, if any."""
    asset, url = await find_asset(use, asset_id, link)
    if reason := asset_fault(field, asset, link):
        raise InvalidInputs(field.name, reason)
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
