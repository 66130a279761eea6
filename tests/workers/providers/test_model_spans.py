"""Spans of calls of models: provider, model, usage and failure, and no prompt."""

import pytest

from engine.errors.nodes import NodeFailed
from engine.models.calls.chat import ChatTurn, ToolCall, to_plain
from engine.models.pricing import Usage
from engine.telemetry.traces.span import SpanKind
from tests.support.manifests import model
from tests.support.observability.traced import ATTEMPT, take_spans, traced_walk
from workers.providers.base import ModelAnswer
from workers.providers.model_caller import ModelCaller
from workers.providers.model_spans import note_answer, open_model_call

CHAT = """[openai]
base_url = "https://api.openai.com/v1"
api_key_env = "KEY"
model = "gpt-large"
"""


async def test_a_model_of_the_worker_is_called_in_a_span_of_its_own() -> None:
    with traced_walk() as (made, _):
        await ModelCaller().call(model(), {"prompt": "canary"})
        [span] = take_spans(made)

    assert span.parent_id == ATTEMPT.span_id
    assert span.kind is SpanKind.INTERNAL
    assert span.attributes["gen_ai.operation.name"] == "chat"
    assert span.attributes["headrace.provider"] == "headrace"
    assert "canary" not in str(span)


async def test_a_call_that_fails_has_the_code_of_its_failure() -> None:
    with traced_walk() as (made, _):
        with pytest.raises(NodeFailed) as failed:
            await ModelCaller(environ={}).call(model(call=CHAT), {"prompt": "canary"})
        [span] = take_spans(made)

    assert span.error_type == failed.value.code
    assert "canary" not in str(span)


def test_a_provider_has_the_name_that_conventions_give_it_and_its_host() -> None:
    with traced_walk() as (made, _):
        with open_model_call(model(call=CHAT), {}) as call:
            usage = Usage(calls=1, input_tokens=7, output_tokens=5)
            note_answer(call, ModelAnswer(value="canary", usage=usage), is_turn=False)
        [span] = take_spans(made)

    assert span.name == "chat gpt-large"
    assert span.kind is SpanKind.CLIENT
    assert span.attributes["gen_ai.provider.name"] == "openai"
    assert span.attributes["gen_ai.request.model"] == "gpt-large"
    assert span.attributes["headrace.provider"] == "api.openai.com"
    assert span.attributes["gen_ai.usage.input_tokens"] == 7
    assert span.attributes["gen_ai.usage.output_tokens"] == 5
    assert span.attributes["headrace.usage.images"] is None


def test_usage_without_a_span_goes_nowhere() -> None:
    note_answer(None, ModelAnswer(value="x", usage=Usage(calls=1)), is_turn=False)


def test_a_turn_tells_how_many_tools_it_asks_for() -> None:
    turn = ChatTurn(calls=(ToolCall(id="c1", name="canary"),) * 2)
    with traced_walk() as (made, _):
        with open_model_call(model(call=CHAT), {}) as call:
            answer = ModelAnswer(value=to_plain(turn), usage=Usage(calls=1))
            note_answer(call, answer, is_turn=True)
        [span] = take_spans(made)

    assert span.attributes["headrace.tool_calls"] == 2
    assert "canary" not in str(span)
