"""How workers call models: one dialect for each section that a manifest may have."""

import asyncio
import contextlib
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.errors.nodes import NodeFailed
from engine.models.dialects.builtin import BuiltinSection
from engine.models.dialects.http import HttpSection
from engine.models.manifest import Category, Model
from engine.models.pricing import cost_micro_usd
from engine.models.registry import find_model
from engine.nodes.support.base import HttpAnswer, HttpCall
from engine.process.byte_semaphore import ByteSemaphore
from workers.providers.anthropic import AnthropicDialect
from workers.providers.base import (
    CallCheckpoints,
    CallContext,
    Dialect,
    Fetcher,
    MediaStore,
    ModelAnswer,
    ModelCall,
    NoMediaStore,
)
from workers.providers.builtin import BuiltinDialect, Embed, embed_nothing
from workers.providers.errors import RATE_LIMITED, UNAVAILABLE
from workers.providers.http import HttpDialect, line_of
from workers.providers.jobs import IN_VAIN, can_cancel, cancel_job, in_vain, refuse_unknown
from workers.providers.limiter import CallLimiter, LimiterKey, guess_tokens
from workers.providers.media import with_own_media
from workers.providers.media_memory import MOST_BYTES, MediaReservation
from workers.providers.openai import OpenAIDialect

DIALECTS: tuple[Dialect, ...] = (
    BuiltinDialect(),
    OpenAIDialect(),
    AnthropicDialect(),
    HttpDialect(),
)
FALLS_BACK = frozenset({RATE_LIMITED, UNAVAILABLE})
"""The failures after which another model is asked in a model's place."""
ALONE = ModelCall()


class _NoWayOut(Fetcher):
    """For models that need none."""

    async def fetch(self, call: HttpCall) -> HttpAnswer:
        raise NodeFailed("connection_failed", "There is no way out here", retryable=True)


class ModelCaller:
    """Calls any model of the registry, through a way out that may lead where operators say."""

    def __init__(
        self,
        fetcher: Fetcher | None = None,
        *,
        media_store: MediaStore | None = None,
        governor: CallLimiter | None = None,
        embed: Embed = embed_nothing,
        environ: Mapping[str, str] = os.environ,
        tells_setup: bool = False,
    ) -> None:
        self._dialects = {dialect.call: dialect for dialect in DIALECTS}
        self._dialects[BuiltinSection] = BuiltinDialect(embed)
        self._fetcher = fetcher or _NoWayOut()
        self._media_store = media_store or NoMediaStore()
        self._governor = governor
        self._environ = environ
        self._sending, self._receiving = ByteSemaphore(MOST_BYTES), ByteSemaphore(MOST_BYTES)
        self._tells_setup = tells_setup

    async def call(
        self, model: Model, values: Mapping[str, Any], model_call: ModelCall = ALONE
    ) -> ModelAnswer:
        """One call with checked values. Raises NodeFailed.

        A model that cannot be had is replaced by its fallbacks, in turn; what they cost is bounded
        by the most that the model itself would have.
        """
        try:
            return await self._call(model, values, model_call)
        except NodeFailed as failure:
            model_call.checkpoints.failed(failure)
            raise

    async def cancel(self, record: Mapping[str, Any]) -> None:
        """Ask a provider once, for a moment, to cancel a job on record that is owed."""
        model = find_model(str(record.get("model")))
        if model is None or not isinstance(model.call, HttpSection) or model.call.job is None:
            return
        line = line_of(model.call, self._context(model, ALONE, record))
        with contextlib.suppress(NodeFailed, TimeoutError):  # else the job ends by itself
            await cancel_job(model.call.job, str(record["id"]), line, {})

    async def _call(
        self, model: Model, values: Mapping[str, Any], model_call: ModelCall
    ) -> ModelAnswer:
        recorded = await model_call.checkpoints.job(model_call.item)
        job = recorded if isinstance(recorded, dict) else {}
        candidates = _candidates(model, job.get("model"))
        for each in candidates[:-1]:
            try:
                return await self._answer(model, each, values, model_call, job)
            except NodeFailed as failure:
                if failure.code not in FALLS_BACK:
                    raise
                model_call.tell_text("")
        return await self._answer(model, candidates[-1], values, model_call, job)

    async def _answer(
        self,
        model: Model,
        asked: Model,
        values: Mapping[str, Any],
        model_call: ModelCall,
        job: Mapping[str, Any],
    ) -> ModelAnswer:
        """What `asked` answers in the place of `model`, at no more than that may cost."""
        most = model.max_usage(values)
        if asked is model:
            answer = await self._ask(model, values, model_call, job)
            return replace(answer, usage=answer.usage.within(most))
        answer = await self._ask(asked, _fitting(asked, values), model_call, job)
        cost = cost_micro_usd(asked.pricing, answer.usage)
        return replace(answer, micro_usd=min(cost, cost_micro_usd(model.pricing, most)))

    async def _ask(
        self, model: Model, values: Mapping[str, Any], model_call: ModelCall, job: Mapping[str, Any]
    ) -> ModelAnswer:
        call = self._context(model, model_call, job)
        refuse_unknown(model, call)
        try:
            return await self._take_turn(model, values, call)
        finally:
            call.sending.release()
            call.receiving.release()

    def _context(self, model: Model, model_call: ModelCall, job: Mapping[str, Any]) -> CallContext:
        endpoint = model.call.endpoint
        return CallContext(
            model_call=model_call,
            model=model.internal_name,
            key=_key(model_call, job),
            job=_own(job, model),
            fetch=self._fetcher.fetch,
            media_store=self._media_store.of(
                model_call.execution_id,
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
    ) -> ModelAnswer:
        """Call when it is the call's turn; a job that is under way already has had it."""
        dialect, limiter_key = self._dialects[type(model.call)], LimiterKey.of(model, self._environ)
        if isinstance(model.call, BuiltinSection) or call.is_under_way:
            return await dialect.answer(model, values, call)
        if model.category is not Category.TEXT:
            await call.media_store.require_space(
                call.account_id
            )  # the provider would be paid in vain
        if self._governor is None or limiter_key is None:
            return await dialect.answer(model, await with_own_media(model, values, call), call)
        patience = _patience(model, limiter_key, call.model_call.deadline)
        async with self._governor.turn(
            limiter_key, call.account_id, guess_tokens(values), patience
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


async def refuse_answer(checkpoints: CallCheckpoints, item: int) -> None:
    """What a model answered for an item is no good, so that asking again is another call.

    Raises NodeFailed.
    """
    checkpoints.forget(item)
    await checkpoints.save_job(item, {IN_VAIN: in_vain(await checkpoints.job(item)) + 1})


def _key(model_call: ModelCall, job: Mapping[str, Any]) -> str:
    """The same for calls of which nobody knows what became, another after each that was in vain."""
    key, count = model_call.checkpoints.key(model_call.item), in_vain(job)
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


def _patience(model: Model, limiter_key: LimiterKey, deadline: float | None) -> float:
    """How many seconds a call may wait; where there are other models, they need time as well."""
    left = limiter_key.patience
    if deadline is not None:
        left = deadline - asyncio.get_running_loop().time()
    return left / 2 if model.fallback else left


def _fitting(model: Model, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the fields that a model has, its defaults where there are none."""
    known = {field.name: field.default for field in model.fields if field.default is not None}
    return known | {
        field.name: values[field.name] for field in model.fields if field.name in values
    }
