"""Spans of calls of models, by OpenTelemetry's conventions of generative AI.

They name the provider, the model and the usage, and have no prompt and no answer.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager

from engine.models.manifest import Category, Model
from engine.telemetry.traces.calls import OpenCall, open_call
from engine.telemetry.traces.span import SpanKind
from workers.providers.base import ModelAnswer
from workers.providers.limiter.call_limiter import LimiterKey

OPERATIONS = {Category.TEXT: "chat"}
GENERATE = "generate_content"
OUTPUTS = {Category.AUDIO: "speech"}
PROVIDERS = {
    "api.openai.com": "openai",
    "api.anthropic.com": "anthropic",
    "generativelanguage.googleapis.com": "gcp.gemini",
    "api.mistral.ai": "mistral_ai",
    "api.groq.com": "groq",
    "api.deepseek.com": "deepseek",
    "api.x.ai": "x_ai",
    "api.perplexity.ai": "perplexity",
    "api.cohere.com": "cohere",
}
"""Names that the conventions have for providers, by host; others are named by their host."""
BUILTIN = "headrace"
"""Provider of models that run in the worker itself."""


def open_model_call(
    model: Model, environ: Mapping[str, str]
) -> AbstractContextManager[OpenCall | None]:
    """Return the context in which a model is called, see `open_call`."""
    key = LimiterKey.for_model(model, environ)
    host = BUILTIN if key is None else key.label
    operation = OPERATIONS.get(model.category, GENERATE)
    name = getattr(model.call, "model", "") or model.internal_name
    return open_call(
        f"{operation} {name}",
        {
            "gen_ai.operation.name": operation,
            "gen_ai.provider.name": PROVIDERS.get(host, host),
            "gen_ai.request.model": name,
            "gen_ai.output.type": OUTPUTS.get(model.category, model.category.value),
            "headrace.model": model.internal_name,
            "headrace.provider": host,
        },
        SpanKind.INTERNAL if key is None else SpanKind.CLIENT,
    )


def note_answer(call: OpenCall | None, answer: ModelAnswer, *, is_turn: bool) -> None:
    """Add the usage of an answer to the span of its call, and the number of tools it asks for."""
    if call is None:
        return
    usage = answer.usage
    if is_turn:
        call.attributes["headrace.tool_calls"] = len(answer.value.get("calls", ()))
    call.attributes["gen_ai.usage.input_tokens"] = usage.input_tokens or None
    call.attributes["gen_ai.usage.output_tokens"] = usage.output_tokens or None
    call.attributes["headrace.usage.images"] = usage.images or None
    call.attributes["headrace.usage.seconds"] = float(usage.seconds) or None
