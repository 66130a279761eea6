"""Checks of a batch's items before any of them begins: inputs, named assets, and the estimate."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from msgspec import Struct

from engine.access.tiers import TierTerms
from engine.billing.credits import make_quote
from engine.errors import InvalidInputs, InvalidItems
from engine.graph.inner_plans import NO_PLANS, InnerPlans
from engine.graph.plan import Plan
from engine.media.ids import is_asset_id
from engine.services.runs.run_inputs import AssetUse, asset_fault, find_asset
from engine.store import NewItem
from engine.store.batches.chunks import ChunkPacker
from engine.store.batches.records import Chunk
from engine.values.fields import MEDIA, Field, check_inputs
from engine.values.ignored_names import warn_of_ignored

MOST_FAULTS = 100
"""Wrong items that a refusal names."""
ASSETS_AT_ONCE = 50

RunSteps = Callable[[Iterator[int]], Awaitable[None]]
"""Does work step by step, so that it blocks the event loop only briefly.

The iterator yields the size in bytes of each step before doing it.
"""
AssetUses = dict[tuple[str, str | None], list[tuple[int, Field]]]
"""By asset id and the link that named it, None for none: items and fields that name it."""


class SizedItem(Struct, frozen=True):
    """Item of a batch, and its size in bytes."""

    item: NewItem
    size: int


class CheckedItems(Struct, frozen=True, kw_only=True):
    """Items that may begin."""

    items: Sequence[NewItem]
    chunks: Sequence[Chunk]
    """The items, packed."""
    credits: int
    """Most that all of them cost together."""
    warnings: tuple[str, ...]
    """Sentences about inputs that are ignored."""


class ItemChecks:
    """Checks the items of one batch for a version of its workflow."""

    def __init__(
        self,
        plan: Plan,
        terms: TierTerms,
        use: AssetUse,
        inner: InnerPlans = NO_PLANS,
        *,
        allow_http: bool,
    ) -> None:
        """`use` names the batch in place of an execution: it keeps the assets that items name."""
        self._plan = plan
        self._terms = terms
        self._inner = inner
        self._use = use
        self._check = partial(
            check_inputs,
            plan.fields,
            strict=plan.strict_inputs,
            allow_http=allow_http,
            allow_assets=True,
            allow_nul=not plan.has_expressions,
        )
        self._media = [field for field in plan.fields if field.type in MEDIA]
        self._uses: AssetUses = defaultdict(list)
        self._packer = ChunkPacker()
        self._names: dict[str, None] = {}
        self._faults: dict[int, InvalidInputs] = {}
        self._credits = 0

    async def check(self, items: Sequence[SizedItem], run_steps: RunSteps) -> CheckedItems:
        """Check all items.

        Raises InvalidItems, and where nodes are charged ModelNotFound or ModelTierRequired.
        """
        await run_steps(self._steps(items))
        await self._find_assets()
        if self._faults:
            faults = sorted(self._faults.items())[:MOST_FAULTS]
            raise InvalidItems([{"index": index, **fault.context} for index, fault in faults])
        known = {field.name for field in self._plan.fields}
        return CheckedItems(
            items=[each.item for each in items],
            chunks=self._packer.finish(),
            credits=self._credits,
            warnings=warn_of_ignored("input", self._names, known, "there is no field of that name"),
        )

    def _steps(self, items: Sequence[SizedItem]) -> Iterator[int]:
        for index, (item, size) in enumerate((each.item, each.size) for each in items):
            yield size
            try:
                self._check_item(index, item.inputs)
                self._packer.add(item)
            except InvalidInputs as fault:
                self._faults[index] = fault
                if len(self._faults) >= MOST_FAULTS:
                    return

    def _check_item(self, index: int, raw: Mapping[str, Any]) -> None:
        linked = {
            field.name: asset_id
            for field in self._media
            if (asset_id := self._use.media_service.linked(raw.get(field.name)))
        }
        inputs = self._check({**raw, **linked} if linked else raw)
        for field in self._media:
            if is_asset_id(value := inputs.get(field.name)):
                link = raw[field.name] if field.name in linked else None
                self._uses[(value, link)].append((index, field))
        self._names.update(dict.fromkeys(raw))
        quote = make_quote(self._plan, self._terms, None, inputs, self._inner)
        self._credits += 0 if quote is None else quote.credits

    async def _find_assets(self) -> None:
        """Find out which items name an asset that their runs could not use."""
        uses = list(self._uses.items())
        for first in range(0, len(uses), ASSETS_AT_ONCE):
            some = uses[first : first + ASSETS_AT_ONCE]
            await asyncio.gather(*(self._find_asset(*named, used) for named, used in some))

    async def _find_asset(
        self, asset_id: str, link: str | None, used: Sequence[tuple[int, Field]]
    ) -> None:
        asset, _ = await find_asset(self._use, asset_id, link)
        for index, field in used:
            if reason := asset_fault(field, asset, link):
                self._faults.setdefault(index, InvalidInputs(field.name, reason))
