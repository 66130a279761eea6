"""Tools in OpenAI's chats: offers, calls of earlier turns with their results, and new calls.

From the guide "Function calling" and chat/create (platform.openai.com/docs). For models whose name
begins with `gemini`, Google's OpenAI-compatible endpoint: calls have a signature of thoughts, which
must come back (ai.google.dev/gemini-api/docs/thought-signatures).
"""

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from deploy.stub_provider.contents.tool_plans import (
    OfferedTool,
    PastCall,
    PlannedCall,
    ToolChat,
)
from deploy.stub_provider.errors import StubRefused
from deploy.stub_provider.exchange import to_json

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
SIGNATURE = {"extra_content": {"google": {"thought_signature": "c3R1Yg=="}}}
BROKEN = '{"broken": '


def read_tools(body: Mapping[str, Any]) -> list[OfferedTool]:
    """Return the tools of a request. Raises StubRefused."""
    given = body.get("tools")
    if given is None:
        return []
    if not isinstance(given, list) or not given:
        raise StubRefused(400, "(stub) 'tools' must be a list of tools.", param="tools")
    tools = [_read_tool(each, number) for number, each in enumerate(given)]
    if len({each.name for each in tools}) < len(tools):
        raise StubRefused(400, "(stub) Names of tools must differ.", param="tools")
    return [] if body.get("tool_choice") == "none" else tools


def _read_tool(tool: Any, number: int) -> OfferedTool:
    function = tool.get("function") if isinstance(tool, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    where = f"tools[{number}].function"
    if not isinstance(function, dict) or not isinstance(name, str) or not NAME.fullmatch(name):
        raise StubRefused(400, f"(stub) '{where}.name' must fit {NAME.pattern}.", param="tools")
    parameters = function.get("parameters", {})
    if not isinstance(parameters, dict) or parameters.get("type", "object") != "object":
        raise StubRefused(400, f"(stub) '{where}.parameters' must be an object's.", param="tools")
    description = function.get("description", "")
    if not isinstance(description, str):
        raise StubRefused(400, f"(stub) '{where}.description' must be a text.", param="tools")
    return OfferedTool(name=name, description=description, parameters=parameters)


def read_chat(
    body: Mapping[str, Any], prompt: str, system: str, tools: Sequence[OfferedTool]
) -> ToolChat:
    """Return the chat with its calls since the last prompt. Raises StubRefused."""
    rounds: list[list[PastCall]] = []
    calls: dict[str, str] = {}
    needs_signature = str(body.get("model")).startswith("gemini")
    for message in body["messages"]:
        role = message["role"]
        if role == "tool":
            result = _read_result(message, calls)
            rounds[-1].append(result)
            continue
        _check_answered(calls)
        if role == "user":
            rounds = []
        if role == "assistant" and message.get("tool_calls"):
            calls = dict(_read_calls(message["tool_calls"], needs_signature=needs_signature))
            rounds.append([])
    _check_answered(calls)
    return ToolChat(prompt=prompt, system=system, tools=tools, rounds=rounds)


def _read_calls(calls: Any, *, needs_signature: bool) -> Iterator[tuple[str, str]]:
    for number, call in enumerate(calls if isinstance(calls, list) else [None]):
        match call:
            case {"id": str(made), "function": {"name": str(name), "arguments": str()}}:
                if needs_signature and not number and "extra_content" not in call:
                    raise StubRefused(400, f"Function call `{name}` is missing a thought_signature")
                yield made, name
            case _:
                raise StubRefused(400, "(stub) A call of a tool has no id, name or arguments.")


def _read_result(message: Mapping[str, Any], calls: dict[str, str]) -> PastCall:
    name, content = calls.pop(str(message.get("tool_call_id")), None), message.get("content")
    if name is None:
        raise StubRefused(
            400, "(stub) messages with role 'tool' must answer one of the 'tool_calls' before."
        )
    text = content if isinstance(content, str) else ""
    return PastCall(name=name, result=text, is_error=text.startswith("Error"))


def _check_answered(calls: Mapping[str, str]) -> None:
    if calls:
        listed = ", ".join(calls)
        raise StubRefused(400, f"(stub) These 'tool_calls' have no tool message: {listed}")


def written_calls(planned: Sequence[PlannedCall], odd: str, model: str) -> list[dict[str, Any]]:
    """Return the member `tool_calls` of a message; `odd` calls are of a form of their own."""
    same = f"call_{uuid.uuid4().hex[:24]}"
    calls = []
    for number, each in enumerate(planned):
        made = same if odd == "same-id" else f"call_{uuid.uuid4().hex[:24]}"
        function = {"name": each.name, "arguments": _arguments(each, odd)}
        call: dict[str, Any] = {"id": made, "type": "function", "function": function}
        if odd == "no-id":
            del call["id"]
        if model.startswith("gemini") and not number:
            call |= SIGNATURE
        calls += [call, call] if odd == "twice" else [call]
    return calls


def _arguments(call: PlannedCall, odd: str) -> str | None:
    match odd:
        case "null":
            return None
        case "broken" | "cut":
            return BROKEN
        case "list":
            return "[1]"
    return to_json(call.arguments).decode()


def call_deltas(calls: Sequence[Mapping[str, Any]], *, is_gemini: bool) -> Iterator[dict[str, Any]]:
    """Yield the deltas of calls in a stream; Gemini sends each call whole, at index 0."""
    for index, call in enumerate(calls):
        if is_gemini:
            yield {"tool_calls": [{"index": 0, **call}]}
            continue
        function = call["function"]
        text = function["arguments"]
        head = {**function, "arguments": text and ""}
        yield {"tool_calls": [{"index": index, **call, "function": head}]}
        for start in range(0, len(text or ""), 8):
            piece = {"arguments": text[start : start + 8]}
            yield {"tool_calls": [{"index": index, "function": piece}]}
