"""Calls of tools by rule: which of the offered tools a prompt leads to, and with which arguments.

The tools that the prompt names are called in its order; else those whose own words are in it, words
that no other tool has, in the order of the offer; else the first that shares a word with it. A
tool that the instructions name as the first one, as in "call find-order first", comes before. Each
is called once, one in each turn. A script may say otherwise.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from deploy.stub_provider.contents.prompt_values import PromptValues, alike, words_of
from deploy.stub_provider.contents.schemas import make_value
from deploy.stub_provider.script import CallScript, without_marks

MAX_CALLS = 5
"""Tools that are called of their own accord."""
TOLD = 400
"""Characters of a result in the answer."""
_CODE = re.compile(r"(?<![\w-])#?([A-Za-z]{0,6}-?\d[\w-]*)")
"""A number of an order, an invoice or the like."""
_CODE_NAMES = re.compile(r"(?:^|[^a-z])(?:id|number|no|code|key|order|ticket|invoice|reference)s?$")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_COMMON_WORDS = frozenset({"with", "from", "that", "this", "their", "have", "your", "tool"})


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedTool:
    """Tool that the model may call."""

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PastCall:
    """Call of an earlier turn, and its result."""

    name: str
    result: str
    is_error: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolChat:
    """Chat as far as it is of use: the last prompt, and the turns with calls since."""

    prompt: str
    system: str
    tools: Sequence[OfferedTool]
    rounds: Sequence[Sequence[PastCall]] = ()

    @property
    def past(self) -> list[PastCall]:
        """All calls since the prompt."""
        return [call for each in self.rounds for call in each]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCall:
    """Call to make."""

    name: str
    arguments: Mapping[str, Any]


def plan_calls(chat: ToolChat, script: CallScript) -> list[PlannedCall]:
    """Return the calls of the next turn; none: the model answers. Raises StubRefused."""
    names = _scripted(chat, script.call) if script.call else _next(chat)
    tools = {each.name: each for each in chat.tools}
    found = (tools.get(name, OfferedTool(name=name)) for name in names)
    return [PlannedCall(name=each.name, arguments=make_arguments(each, chat)) for each in found]


def tell_results(chat: ToolChat) -> str:
    """Return the answer of a chat whose tools have been called."""
    lines = (
        f"{each.name}{' failed' if each.is_error else ''}: {each.result[:TOLD]}"
        for each in chat.past
    )
    return "(stub) " + "\n".join(lines)


def make_arguments(tool: OfferedTool, chat: ToolChat) -> dict[str, Any]:
    """Return arguments from the prompt and from earlier results. Raises StubRefused."""
    schema = tool.parameters
    properties = schema.get("properties")
    if not isinstance(properties, Mapping):
        return {}
    prompt, known = without_marks(chat.prompt), dict(_members(chat.past))
    values, has_code = PromptValues(text=prompt), _CODE.search(prompt) is not None
    said = {name for name in properties if values.labelled(name) is not None}
    wanted = {name for name in properties if name in known or (has_code and _is_code(name))}
    wanted |= said | set(schema.get("required") or ())
    names = [name for name in properties if name in wanted] or list(properties)[:1]
    return {
        name: _argument(name, properties[name], prompt, None if name in said else known.get(name))
        for name in names
    }


def _argument(name: str, schema: Any, prompt: str, known: Any) -> Any:
    kind = schema.get("type") if isinstance(schema, Mapping) else None
    if known is not None and _fits(known, kind):
        return known
    code = _CODE.search(prompt)
    if code and kind in ("string", None) and _is_code(name):
        prompt = f"{name}: {PromptValues(text=prompt).labelled(name) or code[1]}\n{prompt}"
    return make_value({"properties": {name: schema}, "type": "object"}, prompt, prompt)[name]


def _is_code(name: str) -> bool:
    """Return whether the value of a property is a number of an order or the like, by its name."""
    words = _HUMP.sub(" ", name).replace("_", " ").replace("-", " ").lower()
    return _CODE_NAMES.search(words) is not None


def _fits(value: Any, kind: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, str) if kind == "string" else is_number and kind != "boolean"


def _members(past: Sequence[PastCall]) -> Iterator[tuple[str, Any]]:
    """Yield texts and numbers of results that are JSON objects."""
    for each in past:
        try:
            value = json.loads(each.result)
        except ValueError:
            continue
        if isinstance(value, dict) and not each.is_error:
            inner = [member for member in value.values() if isinstance(member, dict)]
            for members in (*inner, value):
                yield from ((k, v) for k, v in members.items() if isinstance(v, str | int | float))


# -- choice ---------------------------------------------------------------------------------------


def _scripted(chat: ToolChat, script: str) -> Sequence[str]:
    """Return the names of a round: `a+b|c` calls a and b, then c; `c*` calls c without an end."""
    rounds, done = script.split("|"), len(chat.rounds)
    if done < len(rounds):
        return rounds[done].rstrip("*").split("+")
    last = rounds[-1]
    return last.rstrip("*").split("+") if last.endswith("*") else ()


def _next(chat: ToolChat) -> Sequence[str]:
    called = {each.name for each in chat.past}
    left = [name for name in choose_tools(chat) if name not in called]
    return left[:1] if len(called) < MAX_CALLS else ()


def choose_tools(chat: ToolChat) -> list[str]:
    """Return the names of the tools to call, in order."""
    prompt, names = without_marks(chat.prompt), [each.name for each in chat.tools]
    named = _named(prompt, names)
    chosen = named or _fitting(prompt, chat.tools)
    first = [name for name in names if _is_first(name, chat.system)]
    return list(dict.fromkeys([*first, *chosen])) if chosen else []


def _named(text: str, names: Sequence[str]) -> list[str]:
    """Return the names that stand in a text, in its order."""
    found = ((re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text), name) for name in names)
    places = sorted((match.start(), name) for match, name in found if match)
    return [name for _, name in places]


def _is_first(name: str, system: str) -> bool:
    word = rf"(?<![\w-]){re.escape(name)}(?![\w-])"
    pattern = rf"{word}[^.;\n]*\bfirst\b|\bfirst\b[^.;\n]*{word}"
    return re.search(pattern, system, re.I) is not None


def _fitting(prompt: str, tools: Sequence[OfferedTool]) -> list[str]:
    said, words = set(words_of(prompt)), [_words_of_tool(each) for each in tools]
    own = []
    for place, tool in enumerate(tools):
        others = set().union(*words[:place], *words[place + 1 :])
        apart = {word for word in words[place] if not any(alike(word, each) for each in others)}
        if _shares(said, apart):
            own.append(tool.name)
    if own:
        return own
    return [tool.name for tool, each in zip(tools, words, strict=True) if _shares(said, each)][:1]


def _words_of_tool(tool: OfferedTool) -> set[str]:
    words = words_of(f"{_HUMP.sub(' ', tool.name)} {tool.description}".replace("_", " "))
    return set(words) - _COMMON_WORDS


def _shares(said: set[str], words: set[str]) -> bool:
    return any(alike(word, each) for word in words for each in said - _COMMON_WORDS)
