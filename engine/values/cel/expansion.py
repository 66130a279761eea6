"""Size of an expression after the expansion of macros, estimated from its tokens alone.

`a.optMap(x, b)` and `a.optFlatMap(x, b)` repeat `a`, so that a chain of N calls repeats its start
2^N times, and compiling 260 bytes took a minute and gigabytes. No other macro repeats anything.
"""

import re

COPYING = frozenset({"optMap", "optFlatMap"})
TOKEN = re.compile(
    r"""
    (?P<skipped> \s+ | //[^\n]* )
    | (?P<operand>
        [bB]?[rR](?: \"{3}.*?\"{3} | '{3}.*?'{3} | "[^"\n\r]*" | '[^'\n\r]*' )
        | [bB]?(?: \"{3}(?:\\.|[^\\])*?\"{3} | '{3}(?:\\.|[^\\])*?'{3}
                 | "(?:\\.|[^"\\\n\r])*" | '(?:\\.|[^'\\\n\r])*' )
        | \w+
      )
    | (?P<sign> . )
    """,
    re.VERBOSE | re.DOTALL,
)
OPENING, CLOSING, OPTIONAL_AFTER = "([{", ")]}", ".["


def expanded_size(expression: str) -> int:
    """Return the number of tokens after the expansion; unbalanced text counts as it stands."""
    outer: list[tuple[int, int, bool]] = []
    before = 0  # tokens at this level before the chain of calls and selections
    chain = 0  # tokens of the chain, which a copying macro repeats
    last = method = ""
    for match in TOKEN.finditer(expression):
        if match.lastgroup == "skipped":
            continue
        word = match[0]
        if word in OPENING:
            outer.append((before, chain, word == "(" and method in COPYING))
            before, chain = 0, 1
        elif word in CLOSING and outer:
            inner = before + chain
            before, chain, is_copied = outer.pop()
            chain += inner + chain * is_copied
        elif _continues(match, last):
            chain += 1
        else:
            before, chain = before + chain + 1, 0
        method = word if last == "." else ""
        last = word
    return before + chain + sum(level[0] + level[1] for level in outer)


def _continues(match: re.Match[str], last: str) -> bool:
    """Return whether a word belongs to a chain of calls and selections."""
    word = match[0]
    if match.lastgroup == "operand":
        return word != "in"
    return word == "." or (word == "?" and last != "" and last in OPTIONAL_AFTER)
