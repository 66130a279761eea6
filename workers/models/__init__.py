"""How workers call models: one dialect for each section that a manifest may have."""

import asyncio
import contextlib
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.byte_semaphore import ByteSemaphore
from engine.models.calls import Builtin, endpoint_of
from engine.models.manifest import Category, Model
from engine.models.pricing import cost_micro_usd
from engine.models.registry import find_model
from engine.models.sections.http import Http
from engine.nodes.base import HttpAnswer, HttpCall, NodeFailed
from workers.models.anthropic import AnthropicDialect
from workers.models.base import (
    Answer,
    CallContext,
    Desk,
    Dialect,
    Errand,
    Fetcher,
    Keeper,
    NoDesk,
    NoKeeper,
    Stored,
)
from workers.models.builtin import BuiltinDialect, Embed, embed_nothing
from workers.models.failing import RATE_LIMITED, UNAVAILABLE
from workers.models.governing import Governor, Ticket, guess_tokens
from workers.models.http import HttpDialect, line_of
from workers.models.job import IN_VAIN, can_cancel, cancel_job, in_vain, refuse_unknown
from workers.models.media import with_own_media
from workers.models.openai import OpenAIDialect
from workers.models.shares import MOST_BYTES, MediaReservation

__all__ = [
    "DIALECTS",
    "Answer",
    "Desk",
    "Dialect",
    "Errand",
    "Fetcher",
    "Governor",
    "Keeper",
    "Models",
    "NoDesk",
    "NoKeeper",
    "Stored",
    "is_owed",
    "refuse_answer",
]

DIALECTS: tuple[Dialect, ...] = (
    BuiltinDialect(),
    OpenAIDialect(),
    AnthropicDialect(),
    HttpDialect(),
)
FALLS_BACK = frozenset({RATE_LIMITED, UNAVAILABLE})
"""The failures after which another model is asked in a model's place."""
ALONE = Errand()


class _NoWayOut(Fetcher):
    """For models that need none."""

    async def fetch(self, call: HttpCall) -> HttpAnswer:
        raise NodeFailed("connection_failed", "There is no way out here", retryable=True)


class Models:
    """Calls any model of the registry, through a way out that may lead where operators say."""

    def __init__(
        self,
        fetcher: Fetcher | None = None,
        *,
        keeper: Keeper | None = None,
        governor: Governor | None = None,
        embed: Embed = embed_nothing,
        environ: Mapping[str, str] = os.environ,
        tells_setup: bool = False,
    ) -> None:
        self._dialects = {dialect.call: dialect for dialect in DIALECTS}
        self._dialects[Builtin] = BuiltinDialect(embed)
        self._fetcher = fetcher or _NoWayOut()
        self._keeper = keeper or NoKeeper()
        self._governor = governor
        self._environ = environ
        self._sending, self._receiving = ByteSemaphore(MOST_BYTES), ByteSemaphore(MOST_BYTES)
        self._tells_setup = tells_setup

    async def call(self, model: Model, values: Mapping[str, Any], errand: Errand = ALONE) -> Answer:
        """One call with checked values. Raises NodeFailed.

        A model that cannot be had is replaced by its fallbacks, in turn; what they cost is bounded
        by the most that the model itself would have.
        """
        try:
            return await self._call(model, values, errand)
        except NodeFailed as failure:
            errand.desk.failed(failure)
            raise

    async def cancel(self, record: Mapping[str, Any]) -> None:
        """Ask a provider once, for a moment, to cancel a job on record that is owed."""
        model = find_model(str(record.get("model")))
        if model is None or not isinstance(model.call, Http) or model.call.job is None:
            return
        line = line_of(model.call, self._context(model, ALONE, record))
        with contextlib.suppress(NodeFailed, TimeoutError):  # else the job ends by itself
            await cancel_job(model.call.job, str(record["id"]), line, {})

    async def _call(self, model: Model, values: Mapping[str, Any], errand: Errand) -> Answer:
        recorded = await errand.desk.job(errand.item)
        job = recorded if isinstance(recorded, dict) else {}
        candidates = _candidates(model, job.get("model"))
        for each in candidates[:-1]:
            try:
                return await self._answer(model, each, values, errand, job)
            except NodeFailed as failure:
                if failure.code not in FALLS_BACK:
                    raise
                errand.tell_text("")
        return await self._answer(model, candidates[-1], values, errand, job)

    async def _answer(
        self,
        model: Model,
        asked: Model,
        values: Mapping[str, Any],
        errand: Errand,
        job: Mapping[str, Any],
    ) -> Answer:
        """What `asked` answers in the place of `model`, at no more than that may cost."""
        most = model.most(values)
        if asked is model:
            answer = await self._ask(model, values, errand, job)
            return replace(answer, usage=answer.usage.within(most))
        answer = await self._ask(asked, _fitting(asked, values), errand, job)
        cost = cost_micro_usd(asked.pricing, answer.usage)
        return replace(answer, micro_usd=min(cost, cost_micro_usd(model.pricing, most)))

    async def _ask(
        self, model: Model, values: Mapping[str, Any], errand: Errand, job: Mapping[str, Any]
    ) -> Answer:
        call = self._context(model, errand, job)
        refuse_unknown(model, call)
        try:
            return await self._take_turn(model, values, call)
        finally:
            call.sending.release()
            call.receiving.release()

    def _context(self, model: Model, errand: Errand, job: Mapping[str, Any]) -> CallContext:
        endpoint = endpoint_of(model.call)
        return CallContext(
            errand=errand,
            model=model.internal_name,
            key=_key(errand, job),
            job=_own(job, model),
            fetch=self._fetcher.fetch,
            keeper=self._keeper.of(
                errand.execution_id,
                model.category,
                endpoint.place(self._environ) if endpoint else "",
            ),
            sending=MediaReservation(self._sending),
            receiving=MediaReservation(self._receiving),
            environ=self._environ,
            tells_setup=self._tells_setup,
        )

    async def _take_turn(
        self, model: Model, values: Mapping[str, Any], call: CallContext
    ) -> Answer:
        """Call when it is the call's turn; a job that is under way already has had it."""
        dialect, ticket = self._dialects[type(model.call)], Ticket.of(model, self._environ)
        if isinstance(model.call, Builtin) or call.is_under_way:
            return await dialect.answer(model, values, call)
        if model.category is not Category.TEXT:
            await call.keeper.demand_room(call.account_id)  # the provider would be paid in vain
        if self._governor is None or ticket is None:
            return await dialect.answer(model, await with_own_media(model, values, call), call)
        patience = _patience(model, ticket, call.errand.deadline)
        async with self._governor.turn(
            ticket, call.account_id, guess_tokens(values), patience
        ) as turn:
            heard = replace(call, fetch=turn.listening(call.fetch))
            sent = await with_own_media(model, values, call)
            answer = await dialect.answer(model, sent, heard)
            tokens = answer.usage.input_tokens + answer.usage.output_tokens
            if tokens:
                turn.used(tokens)
            return answer


def is_owed(record: Any) -> bool:
    """Whether a record is of a job that is to be cancelled when nobody comes back for it."""
    name = record.get("model") if isinstance(record, dict) else None
    return isinstance(name, str) and can_cancel(find_model(name), record)


async def refuse_answer(desk: Desk, item: int) -> None:
    """What a model answered for an item is no good, so that asking again is another call.

    Raises NodeFailed.
    """
    desk.forget(item)
    await desk.save_job(item, {IN_VAIN: in_vain(await desk.job(item)) + 1})


def _key(errand: Errand, job: Mapping[str, Any]) -> str:
    """The same for calls of which nobody knows what became, another after each that was in vain."""
    key, count = errand.desk.key(errand.item), in_vain(job)
    return f"{key}-{count}" if key and count else key


def _own(job: Mapping[str, Any], model: Model) -> dict[str, Any] | None:
    """What a record says to a model: of another one's job nothing but how many were in vain."""
    if job.get("model", model.internal_name) != model.internal_name:
        job = {IN_VAIN: in_vain(job)}
    return dict(job) or None


def _candidates(model: Model, begun: str | None) -> list[Model]:
    """The model and its fallbacks; one whose job is under way already comes first."""
    listed = [model]
    for name in model.fallback:
        found = find_model(name)
        if found is not None and found.enabled and found.category is model.category:
            listed.append(found)
    return sorted(listed, key=lambda each: each.internal_name != begun)


def _patience(model: Model, ticket: Ticket, deadline: float | None) -> float:
    """How many seconds a call may wait; where there are other models, they need time as well."""
    left = ticket.patience
    if deadline is not None:
        left = deadline - asyncio.get_running_loop().time()
    return left / 2 if model.fallback else left


def _fitting(model: Model, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the fields that a model has, its defaults where there are none."""
    known = {field.name: field.default for field in model.fields if field.default is not None}
    return known | {
        field.name: values[field.name] for field in model.fields if field.name in values
    }
