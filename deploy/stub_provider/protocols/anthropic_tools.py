"""Tools in Anthropic's messages: offers, calls of earlier turns with their results, and new calls.

From docs.claude.com/en/docs/agents-and-tools/tool-use and …/build-with-claude/extended-thinking:
thoughts before calls are signed, and come back as they were or not at all.
"""

import hashlib
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

NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
THOUGHT = "(stub) Which tool fits?"


def read_tools(body: Mapping[str, Any]) -> list[OfferedTool]:
    """Return the tools that the model may call of its own accord. Raises StubRefused."""
    given, choice = body.get("tools"), body.get("tool_choice")
    kind = choice.get("type") if isinstance(choice, dict) else "auto"
    tools = [
        _read_tool(each, number)
        for number, each in enumerate(given if isinstance(given, list) else [])
    ]
    if len({each.name for each in tools}) < len(tools):
        raise StubRefused(400, "tools: Tool names must be unique.", param="tools")
    return tools if kind == "auto" else []


def _read_tool(tool: Any, number: int) -> OfferedTool:
    match tool:
        case {"name": str(name), "input_schema": dict(schema)} if NAME.fullmatch(name):
            if schema.get("type") != "object":
                raise StubRefused(
                    400, f"tools.{number}.input_schema.type: Field required", param="tools"
                )
            about = str(tool.get("description", ""))
            return OfferedTool(name=name, description=about, parameters=schema)
    raise StubRefused(400, f"tools.{number}: name or input_schema is wrong", param="tools")


def read_chat(
    messages: Sequence[Mapping[str, Any]], prompt: str, system: str, tools: Sequence[OfferedTool]
) -> ToolChat:
    """Return the chat with its calls since the last prompt. Raises StubRefused."""
    rounds: list[list[PastCall]] = []
    open_calls: dict[str, str] = {}
    for number, message in enumerate(messages):
        blocks = _blocks(message)
        results = [each for each in blocks if each.get("type") == "tool_result"]
        answered = [_read_result(each, open_calls, number) for each in results]
        if open_calls:
            raise StubRefused(
                400, f"messages.{number}: `tool_use` ids were found without `tool_result` blocks"
            )
        if answered:
            rounds.append(answered)
        elif message.get("role") == "user":
            rounds = []
        if message.get("role") == "assistant":
            open_calls = dict(_read_calls(blocks, number))
    if open_calls:
        raise StubRefused(400, "messages: `tool_use` ids were found without `tool_result` blocks")
    return ToolChat(prompt=prompt, system=system, tools=tools, rounds=rounds)


def has_results(message: Mapping[str, Any]) -> bool:
    """Return whether a message answers calls, so that it is no prompt."""
    return any(each.get("type") == "tool_result" for each in _blocks(message))


def _blocks(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    content = message.get("content")
    listed = content if isinstance(content, list) else []
    return [each for each in listed if isinstance(each, dict)]


def _read_calls(blocks: Sequence[Mapping[str, Any]], where: int) -> Iterator[tuple[str, str]]:
    for each in blocks:
        match each:
            case {"type": "tool_use", "id": str(made), "name": str(name), "input": dict()}:
                yield made, name
            case {"type": "tool_use"}:
                raise StubRefused(400, f"messages.{where}.content: a tool_use lacks members")
            case {"type": "thinking", "thinking": text, "signature": signature}:
                if signature != _sign(str(text)):
                    raise StubRefused(400, f"messages.{where}: Invalid `signature` in `thinking`")


def _read_result(block: Mapping[str, Any], calls: dict[str, str], where: int) -> PastCall:
    name = calls.pop(str(block.get("tool_use_id")), None)
    if name is None:
        raise StubRefused(
            400, f"messages.{where}: unexpected `tool_use_id` found in `tool_result` blocks"
        )
    content = block.get("content", "")
    if isinstance(content, list):
        content = "\n".join(str(each.get("text", "")) for each in content)
    return PastCall(name=name, result=content, is_error=bool(block.get("is_error")))


def written_blocks(planned: Sequence[PlannedCall], text: str, odd: str) -> list[dict[str, Any]]:
    """Return the content of a message with calls; `odd` calls are of a form of their own."""
    same, calls = f"toolu_{uuid.uuid4().hex}", []
    for each in planned:
        made = same if odd == "same-id" else f"toolu_{uuid.uuid4().hex}"
        call: dict[str, Any] = {"type": "tool_use", "id": made, "name": each.name}
        call["input"] = _input(each, odd)
        if odd == "no-id":
            del call["id"]
        calls += [call, call] if odd == "twice" else [call]
    thought = {"type": "thinking", "thinking": THOUGHT, "signature": _sign(THOUGHT)}
    return [thought, {"type": "text", "text": text}, *calls]


def _input(call: PlannedCall, odd: str) -> Any:
    odds = {"null": None, "broken": '{"broken": ', "cut": '{"broken": ', "list": [1]}
    return odds[odd] if odd in odds else dict(call.arguments)


def _sign(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
