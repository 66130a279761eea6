"""Calls of models by workers: the dialect of each manifest section, fallbacks and limits."""

import asyncio
import contextlib
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.errors.nodes import NodeFailed
from engine.models.calls.chat import NO_TOOLS, written_texts
from engine.models.calls.provider_jobs import ROUND, failed_rounds
from engine.models.dialects.builtin import BuiltinSection
from engine.models.dialects.http import HttpSection
from engine.models.manifest import Category, Model
from engine.models.pricing import Usage, cost_micro_usd
from engine.models.registry import find_model
from engine.models.transcripts import as_transcript
from engine.nodes.support.base import HttpAnswer, HttpCall
from engine.process.byte_semaphore import ByteSemaphore
from engine.telemetry.traces.calls import NO_CALL, is_traced
from workers.providers.answers.errors import RATE_LIMITED, UNAVAILABLE
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
from workers.providers.dialects.anthropic import AnthropicDialect
from workers.providers.dialects.builtin import (
    BuiltinDialect,
    Embed,
    NoSpeech,
    SpeechModels,
    embed_nothing,
)
from workers.providers.dialects.http import HttpDialect, client_of
from workers.providers.dialects.openai import OpenAIDialect
from workers.providers.fallback_files import can_fit, fit_files
from workers.providers.input_lengths import with_length
from workers.providers.jobs import cancel_job, refuse_unknown_job
from workers.providers.limiter.call_counts import count_call
from workers.providers.limiter.call_limiter import CallLimiter, LimiterKey, guess_tokens
from workers.providers.media import with_media
from workers.providers.media_memory import MAX_BYTES, MediaReservation
from workers.providers.model_spans import note_answer, open_model_call

DIALECTS: tuple[Dialect, ...] = (
    BuiltinDialect(),
    OpenAIDialect(),
    AnthropicDialect(),
    HttpDialect(),
)
FALLBACK_CODES = frozenset({RATE_LIMITED, UNAVAILABLE})
"""Failures after which the next fallback is called."""
NO_NODE = ModelCall()


class _NoFetcher(Fetcher):
    """A fetcher for models without a network."""

    async def fetch(self, call: HttpCall) -> HttpAnswer:
        raise NodeFailed("connection_failed", "There is no way out here", retryable=True)


class ModelCaller:
    """Calls any model of the registry, through a fetcher that allows providers' addresses."""

    def __init__(
        self,
        fetcher: Fetcher | None = None,
        *,
        media_store: MediaStore | None = None,
        limiter: CallLimiter | None = None,
        embed: Embed = embed_nothing,
        speech: SpeechModels | None = None,
        environ: Mapping[str, str] = os.environ,
        names_variables: bool = False,
    ) -> None:
        self._dialects = {dialect.call: dialect for dialect in DIALECTS}
        self._dialects[BuiltinSection] = BuiltinDialect(embed, speech or NoSpeech())
        self._fetcher = fetcher or _NoFetcher()
        self._media_store = media_store or NoMediaStore()
        self._limiter = limiter
        self._environ = environ
        self._sending, self._receiving = ByteSemaphore(MAX_BYTES), ByteSemaphore(MAX_BYTES)
        self._names_variables = names_variables

    async def call(
        self, model: Model, values: Mapping[str, Any], model_call: ModelCall = NO_NODE
    ) -> ModelAnswer:
        """Make one call with checked values. Raises NodeFailed.

        An unavailable model is replaced by its fallbacks, in turn; their cost is bounded by the
        most that the model itself would cost.
        """
        try:
            return await self._call(model, values, model_call)
        except NodeFailed as failure:
            model_call.checkpoints.note_failure(failure)
            raise

    async def cancel(self, record: Mapping[str, Any]) -> None:
        """Ask a provider once, within a short time, to cancel a cancellable job."""
        model = find_model(str(record.get("model")))
        if model is None or not isinstance(model.call, HttpSection) or model.call.job is None:
            return
        client = client_of(model.call, self._context(model, NO_NODE, record))
        with contextlib.suppress(NodeFailed, TimeoutError):  # else the job ends by itself
            await cancel_job(model.call.job, str(record["id"]), client, {})

    async def _call(
        self, model: Model, values: Mapping[str, Any], model_call: ModelCall
    ) -> ModelAnswer:
        if model_call.chat is not None and not model.takes_tools:
            raise NodeFailed(NO_TOOLS, f"The model '{model.internal_name}' takes no tools")
        recorded = await model_call.checkpoints.find_job(model_call.item)
        job = recorded if isinstance(recorded, dict) else {}
        candidates = _candidates(model, values, job.get("model"), model_call)
        for each in candidates[:-1]:
            try:
                return await self._answer(model, each, values, model_call, job)
            except NodeFailed as failure:
                if failure.code not in FALLBACK_CODES:
                    raise
                model_call.publish_text("")
        return await self._answer(model, candidates[-1], values, model_call, job)

    async def _answer(
        self,
        model: Model,
        candidate: Model,
        values: Mapping[str, Any],
        model_call: ModelCall,
        job: Mapping[str, Any],
    ) -> ModelAnswer:
        """Call `candidate` in the place of `model`, at no more than the latter may cost."""
        maximum = _max_usage(model, values, model_call)
        if candidate is model:
            answer = await self._call_one(model, values, model_call, job)
            return replace(answer, usage=answer.usage.within(maximum))
        fitting, model_call = await fit_files(candidate, model, values, model_call)
        answer = await self._call_one(candidate, _fit_values(candidate, fitting), model_call, job)
        cost = cost_micro_usd(candidate.pricing, answer.usage)
        return replace(answer, micro_usd=min(cost, cost_micro_usd(model.pricing, maximum)))

    async def _call_one(
        self, model: Model, values: Mapping[str, Any], model_call: ModelCall, job: Mapping[str, Any]
    ) -> ModelAnswer:
        call = self._context(model, model_call, job)
        refuse_unknown_job(model, call)
        try:
            with open_model_call(model, self._environ) if is_traced() else NO_CALL as span:
                answer = await self._take_turn(model, values, call)
                note_answer(span, answer, is_turn=model_call.chat is not None)
                return _in_form(model, answer)
        finally:
            call.sending.release()
            call.receiving.release()

    def _context(self, model: Model, model_call: ModelCall, job: Mapping[str, Any]) -> CallContext:
        endpoint = model.call.endpoint
        return CallContext(
            model_call=model_call,
            model=model.internal_name,
            key=_key(model_call, job),
            job=_job_of_model(job, model),
            fetch=self._fetcher.fetch,
            media_store=self._media_store.for_execution(
                model_call.execution_id,
                model.category,
                endpoint.place(self._environ) if endpoint else "",
            ),
            sending=MediaReservation(self._sending),
            receiving=MediaReservation(self._receiving),
            environ=self._environ,
            names_variables=self._names_variables,
        )

    async def _take_turn(
        self, model: Model, values: Mapping[str, Any], call: CallContext
    ) -> ModelAnswer:
        """Call when it is the call's turn; a job under way has had its turn already."""
        dialect, limiter_key = (
            self._dialects[type(model.call)],
            LimiterKey.for_model(model, self._environ),
        )
        if isinstance(model.call, BuiltinSection):
            return await dialect.answer(model, values, call)  # it measures what it reads
        provider = "" if limiter_key is None else limiter_key.label
        if call.is_under_way:
            with count_call(provider, call):
                return with_length(await dialect.answer(model, values, call), call)
        if model.category is not Category.TEXT:
            # Without space the provider would be paid in vain.
            await call.media_store.require_space(call.account_id)
        if self._limiter is None or limiter_key is None:
            values, call = await with_media(model, values, call)
            return with_length(await dialect.answer(model, values, call), call)
        patience = _patience(model, limiter_key, call.model_call.deadline)
        async with self._limiter.turn(
            limiter_key,
            call.account_id,
            _guess_tokens(values, call),
            patience,
            call.model_call.note_turn,
        ) as turn:
            observed = replace(call, fetch=turn.observe(call.fetch))
            values, observed = await with_media(model, values, observed)
            with count_call(provider, call):
                answer = with_length(await dialect.answer(model, values, observed), observed)
            tokens = answer.usage.input_tokens + answer.usage.output_tokens
            if tokens:
                turn.used(tokens)
            return answer


def _in_form(model: Model, answer: ModelAnswer) -> ModelAnswer:
    """Return the answer in the form of its model's; providers may give a transcript as a text."""
    is_transcript = model.is_transcriber
    return replace(answer, value=as_transcript(answer.value)) if is_transcript else answer


async def refuse_answer(checkpoints: CallCheckpoints, item: int) -> None:
    """Drop the answer for an item, so that the next call has another key.

    Raises NodeFailed.
    """
    checkpoints.drop_answer(item)
    await checkpoints.save_job(item, {ROUND: failed_rounds(await checkpoints.find_job(item)) + 1})


def _key(model_call: ModelCall, job: Mapping[str, Any]) -> str:
    """Return the idempotency key, the same until a round has failed."""
    key, count = model_call.checkpoints.key(model_call.item), failed_rounds(job)
    return f"{key}-{count}" if key and count else key


def _job_of_model(job: Mapping[str, Any], model: Model) -> dict[str, Any] | None:
    """Return the part of a record for one model: of another model's job only the failed rounds."""
    if job.get("model", model.internal_name) != model.internal_name:
        job = {ROUND: failed_rounds(job)}
    return dict(job) or None


def _max_usage(model: Model, values: Mapping[str, Any], model_call: ModelCall) -> Usage:
    """Return the most that the call may use."""
    if model_call.most is not None:
        return model_call.most
    chat = model_call.chat
    return model.max_usage(values) if chat is None else model.max_chat_usage(values, chat)


def _guess_tokens(values: Mapping[str, Any], call: CallContext) -> int:
    chat = call.model_call.chat
    return guess_tokens(values if chat is None else {**values, "chat": written_texts(chat)})


def _candidates(
    model: Model, values: Mapping[str, Any], begun: str | None, model_call: ModelCall
) -> list[Model]:
    """Return the model and its fallbacks; one with a job under way comes first.

    Fallbacks of a chat take tools, and those of a call with files take these or their text.
    """
    has_chat, candidates = model_call.chat is not None, [model]
    for name in model.fallback:
        found = find_model(name)
        if found is None or (has_chat and not found.takes_tools):
            continue
        if not has_chat and not can_fit(found, model, values):
            continue
        if found.enabled and found.answers_like(model):
            candidates.append(found)
    return sorted(candidates, key=lambda each: each.internal_name != begun)


def _patience(model: Model, limiter_key: LimiterKey, deadline: float | None) -> float:
    """Return the longest wait for a turn; with fallbacks half of the time, to leave them some."""
    left = limiter_key.patience
    if deadline is not None:
        left = deadline - asyncio.get_running_loop().time()
    return left / 2 if model.fallback else left


def _fit_values(model: Model, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the model's fields, with its defaults."""
    known = {field.name: field.default for field in model.fields if field.default is not None}
    return known | {
        field.name: values[field.name] for field in model.fields if field.name in values
    }
