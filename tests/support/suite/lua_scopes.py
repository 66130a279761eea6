"""Names in a Lua script that no scope around them declares.

A call that meets such a name fails, and only in the branch that has it. The reader knows blocks,
locals, parameters and loops; it takes a local for declared from its own statement on.
"""

import re
from collections.abc import Iterator

GLOBALS = frozenset(
    [
        "redis",
        "cjson",
        "cmsgpack",
        "struct",
        "bit",
        "KEYS",
        "ARGV",
        "math",
        "string",
        "table",
        "tonumber",
        "tostring",
        "type",
        "pairs",
        "ipairs",
        "unpack",
        "select",
        "error",
        "pcall",
        "next",
        "assert",
    ]
)
KEYWORDS = frozenset(
    [
        "and",
        "break",
        "do",
        "else",
        "elseif",
        "end",
        "false",
        "for",
        "function",
        "if",
        "in",
        "local",
        "nil",
        "not",
        "or",
        "repeat",
        "return",
        "then",
        "true",
        "until",
        "while",
    ]
)
TOKEN = re.compile(
    r"""#![^\n]*|--\[\[.*?\]\]|--[^\n]*|\s+"""
    r"""|(?P<text>'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|\[\[.*?\]\])"""
    r"""|(?P<name>[A-Za-z_]\w*)|(?P<number>\d[\w.]*)|(?P<sign>\.\.\.?|[=~<>]=|\S)""",
    re.DOTALL,
)


def find_undeclared(text: str) -> set[str]:
    """Return the names that are used outside the scope of every declaration."""
    return _Reader([*_tokens(text)]).read()


def _tokens(text: str) -> Iterator[str]:
    for match in TOKEN.finditer(text):
        if match["text"]:
            yield "''"
        elif found := match["name"] or match["number"] or match["sign"]:
            yield found


class _Reader:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens = [*tokens, ""]
        self._at = 0
        self._scopes: list[set[str]] = [set(GLOBALS)]
        self._found: set[str] = set()

    def read(self) -> set[str]:
        while token := self._tokens[self._at]:
            self._at += 1
            self._take(token)
        return self._found

    def _take(self, token: str) -> None:
        match token:
            case "local":
                self._declare_local()
            case "function":
                self._open_function()
            case "for":
                self._scopes.append(self._names_until("in", "="))
            case "do" if self._opens_a_loop():
                pass
            case "do" | "then" | "repeat":
                self._scopes.append(set())
            case "until":
                # The condition sees the locals of its loop.
                loop = self._scopes.pop()
                self._scopes[-1] |= loop
            case "else" | "elseif" | "end":
                self._scopes.pop()
                if token == "else":
                    self._scopes.append(set())
            case _ if token.isidentifier() and token not in KEYWORDS:
                self._use(token)

    def _declare_local(self) -> None:
        if self._tokens[self._at] == "function":
            self._scopes[-1].add(self._tokens[self._at + 1])
            return
        while True:
            self._scopes[-1].add(self._tokens[self._at])
            self._at += 1
            if self._tokens[self._at] != ",":
                return
            self._at += 1

    def _open_function(self) -> None:
        while self._tokens[self._at] != "(":
            self._at += 1
        self._scopes.append(self._names_until(")"))

    def _names_until(self, *ends: str) -> set[str]:
        names = set()
        while self._tokens[self._at] not in ends:
            names.add(self._tokens[self._at])
            self._at += 1
        return {each for each in names if each.isidentifier()}

    def _opens_a_loop(self) -> bool:
        """Return True for the `do` of a `for`, whose scope is open from its names on."""
        depth = 0
        for token in reversed(self._tokens[: self._at - 1]):
            if token in ("end", "until"):
                depth += 1
            elif token in ("function", "then", "repeat", "do") and depth:
                depth -= 1
            elif token == "for":
                return depth == 0
            elif token in ("while", "do", "then", "repeat", "function", "else") and not depth:
                return False
        return False

    def _use(self, name: str) -> None:
        before = self._tokens[self._at - 2] if self._at > 1 else ""
        is_member = before in (".", ":")
        is_key = before in ("{", ",") and self._tokens[self._at] == "=" and self._in_table()
        if not (is_member or is_key or any(name in scope for scope in self._scopes)):
            self._found.add(name)

    def _in_table(self) -> bool:
        depth = 0
        for token in reversed(self._tokens[: self._at - 1]):
            if token in ("}", ")", "]"):
                depth += 1
            elif token in ("{", "(", "["):
                if not depth:
                    return token == "{"
                depth -= 1
        return False
