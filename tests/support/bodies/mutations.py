"""Hostile JSON bodies, each made from a seed and its number alone."""

import json
import random
from collections.abc import Callable, Sequence
from typing import Any

MARK = "@raw-{}@"
DEPTHS = (63, 64, 65, 200, 1_500)
LARGE_DEPTH = 400_000
ONE_LARGE_OF = 2_000
"""Bodies of hundreds of kilobytes are as rare as this: each costs as much as many others."""
NUMBERS = (
    *("0", "-0", "1", "-1", "0.5", "-0.0", "1e2", "1e308", "1e309", "1e400", "-1e400", "1e-400"),
    *("1E999999999", "NaN", "Infinity", "-Infinity", "9007199254740991", "9007199254740992"),
    *("9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775809"),
    *("18446744073709551616", "00", "01", "+1", ".5", "5.", "1e", "0x10", "1_000", "--1"),
    *("9" * 30, "9" * 400, "9" * 5_000, "0." + "3" * 3_000, "-" + "1" * 25),
)
TEXTS = (
    '""',
    '" "',
    r'"\u0000"',
    r'"a\u0000b"',
    r'"\ud800"',
    r'"\udfff\ud800"',
    r'"\ud83d\ude00"',
    r'"\u202e\u2066\ufeff"',
    r'"\r\nset-cookie: a=b"',
    r'"\u001b[31m"',
    '"\x00"',
    '"\x1f"',
    '"\n"',
    r'"\x41"',
    r'"\u12"',
    '"' + "x" * 70_000 + '"',
    '"' + "é" * 3_000 + '"',
    '"{{ a }}"',
    '"{{"',
    '"{{ a.b[999999999999] }}"',
    '"{% for a in b %}"',
    '"../../../../etc/passwd"',
    '"%2e%2e%2f"',
    '"file:///etc/passwd"',
    '"http://127.0.0.1:6379/"',
    '"http://[::1"',
    '"https://\\ud800.example/"',
    '"2026-02-30T25:61:61Z"',
    '"0000-00-00T00:00:00Z"',
    '"0001-01-01T00:00:00Z"',
    '"1969-12-31T23:59:59Z"',
    '"9999-12-31T23:59:59.999Z"',
    '"P1Y"',
    '"00000000-0000-0000-0000-000000000000"',
    '"__proto__"',
    '"constructor"',
    '"* * * * *"',
    '"99 99 99 99 99"',
    '"(((((((((("',
    '"' + "(" * 300 + '"',
    '"a.map(x, x.map(y, y))"',
    '"/' + "(a+)+" * 20 + '/"',
    "'single'",
)
WORDS = (
    "null",
    "true",
    "false",
    "[]",
    "{}",
    "[[]]",
    '{"":{}}',
    "[null]",
    "nul",
    "True",
    "undefined",
)
NAMES = (
    *("", " ", "id", "account", "owner", "__proto__", "constructor", "prototype", "toString"),
    *("\x00", "\ud800", "a" * 5_000, "inputs", "nodes", "edges", "$ref", "é", "\u202e"),
)
Place = tuple[Any, Any]
"""A list or object, and the index or name of one of its values."""


class Mutation:
    """One body in the making: a copy of a valid one, with pieces of raw JSON in it."""

    def __init__(self, rng: random.Random, valid: bytes) -> None:
        self.rng = rng
        self._raw: list[str] = []
        self.tree = {"": json.loads(valid)}

    def raw(self, text: str) -> str:
        """Return a text that stands for a piece of raw JSON."""
        self._raw.append(text)
        return MARK.format(len(self._raw) - 1)

    def encode(self) -> str:
        """Return the body with its raw pieces."""
        text = json.dumps(self.tree[""], ensure_ascii=self.rng.random() < 0.5)
        for number, piece in reversed(list(enumerate(self._raw))):
            text = text.replace(f'"{MARK.format(number)}"', piece)
        return text

    def place(self) -> Place:
        """Return a place in the tree, its root among them."""
        found: list[Place] = []
        pending: list[Any] = [self.tree]
        while pending:
            container = pending.pop()
            keys = container if isinstance(container, dict) else range(len(container))
            for key in keys:
                found.append((container, key))
                if isinstance(container[key], dict | list):
                    pending.append(container[key])
        return self.rng.choice(found)

    def object(self) -> dict[str, Any] | None:
        """Return an object of the tree, or None where it has none."""
        for _ in range(8):
            container, key = self.place()
            if isinstance(container[key], dict):
                found: dict[str, Any] = container[key]
                return found
        return None


def put_number(body: Mutation) -> None:
    """Replace a value with a number at a limit, or with one that is none."""
    container, key = body.place()
    container[key] = body.raw(body.rng.choice(NUMBERS))


def put_text(body: Mutation) -> None:
    """Replace a value with a text that is hard to handle."""
    container, key = body.place()
    container[key] = body.raw(body.rng.choice(TEXTS))


def put_word(body: Mutation) -> None:
    """Replace a value with one of another type."""
    container, key = body.place()
    container[key] = body.raw(body.rng.choice(WORDS))


def swap_values(body: Mutation) -> None:
    """Exchange two values."""
    (one, key), (other, name) = body.place(), body.place()
    if one is not body.tree and other is not body.tree:
        one[key], other[name] = json.loads(json.dumps((other[name], one[key])))


def drop_value(body: Mutation) -> None:
    """Remove a value."""
    container, key = body.place()
    if container is not body.tree:
        del container[key]


def add_member(body: Mutation) -> None:
    """Add a member that the route does not know, or knows elsewhere."""
    found = body.object()
    if found is not None:
        name = body.rng.choice(NAMES)
        found[name] = body.rng.choice((1, -1, "x", None, True, [], {}, {"a": {"b": []}}))


def rename_member(body: Mutation) -> None:
    """Give a member another name."""
    found = body.object()
    if found:
        found[body.rng.choice(NAMES)] = found.pop(body.rng.choice(list(found)))


def repeat_member(body: Mutation) -> None:
    """Write an object whose members stand in it twice, with other values."""
    container, key = body.place()
    members = container[key] if isinstance(container[key], dict) else {"a": 1}
    second = body.rng.choice((*WORDS[:7], "1e400", r'"\ud800"'))
    pairs = [f"{json.dumps(name)}:{json.dumps(value)}" for name, value in members.items()]
    again = [f"{json.dumps(name)}:{second}" for name in members]
    container[key] = body.raw("{" + ",".join((*pairs, *again)) + "}")


def wrap_value(body: Mutation) -> None:
    """Put a value into many lists or objects."""
    container, key = body.place()
    depth = body.rng.choice(DEPTHS)
    inner = json.dumps(container[key]) if body.rng.random() < 0.9 else ""
    before, after = body.rng.choice((("[", "]"), ('{"a":', "}"), ("[[],", "]")))
    container[key] = body.raw(before * depth + inner + after * depth)


def repeat_value(body: Mutation) -> None:
    """Write a value many times."""
    container, key = body.place()
    container[key] = [container[key]] * body.rng.choice((2, 17, 101))


CHANGES: tuple[Callable[[Mutation], None], ...] = (
    *(put_number, put_text, put_word, put_word, swap_values, drop_value),
    *(add_member, rename_member, repeat_member, wrap_value, repeat_value),
)


def cut(rng: random.Random, data: bytes) -> bytes:
    """Leave the end out."""
    return data[: rng.randrange(len(data) + 1)]


def flip(rng: random.Random, data: bytes) -> bytes:
    """Change a few bytes."""
    found = bytearray(data)
    for _ in range(min(len(found), rng.randint(1, 4))):
        found[rng.randrange(len(found))] = rng.randrange(256)
    return bytes(found)


def splice(rng: random.Random, data: bytes) -> bytes:
    """Copy one piece to another place."""
    if not data:
        return b"\xff"
    start, to = rng.randrange(len(data)), rng.randrange(len(data))
    return data[:to] + data[start : start + rng.randint(1, 60)] + data[to:]


def spoil(rng: random.Random, data: bytes) -> bytes:
    """Put something before or behind the body, or write it in another encoding."""
    text = data.decode("utf-8", "replace")
    return rng.choice(
        (
            b"\xef\xbb\xbf" + data,
            data + b"\x00",
            data + data,
            data + b",",
            b"[" + data + b"]",
            b"// words\n" + data,
            data.replace(b'"', b"'"),
            data.replace(b"{", b"{\xff", 1),
            data.replace(b"}", b",}"),
            text.encode("utf-16"),
            text.encode("utf-32-le"),
            text.encode("utf-7"),
            b" " * 3_000 + data,
            b"",
        )
    )


BREAKS: tuple[Callable[[random.Random, bytes], bytes], ...] = (cut, flip, splice, spoil)
LARGE: tuple[Callable[[], bytes], ...] = (
    lambda: b"[" * LARGE_DEPTH,
    lambda: b'{"a":' * (LARGE_DEPTH // 4) + b"1" + b"}" * (LARGE_DEPTH // 4),
    lambda: b'{"inputs":' + b"[" * LARGE_DEPTH + b"]" * LARGE_DEPTH + b"}",
    lambda: b'{"a":[' + b"0," * 99_000 + b"0]}",
    lambda: b'{"a":[' + b"0," * 400_000 + b"0]}",
    lambda: b'{"a":' + b"9" * 900_000 + b"}",
    lambda: b'{"a":0.' + b"9" * 900_000 + b"}",
    lambda: b'{"a":"' + b"\\ud800" * 150_000 + b'"}',
    lambda: b'{"a":"' + b"x" * 990_000 + b'"}',
    lambda: b"{" + b",".join(b'"n%d":%d' % (n, n) for n in range(50_000)) + b"}",
    lambda: b"{" + b",".join([b'"a":1'] * 90_000) + b"}",
    lambda: b'{"nodes":[' + b",".join([b'{"id":"a","type":"textBox"}'] * 24_000) + b"]}",
    lambda: b'{"a":1}' + b" " * 2_000_000,
)


def make_body(seed: int, number: int, valid: Sequence[bytes]) -> bytes:
    """Return the body of a number; the same for the same seed and valid bodies."""
    rng = random.Random(f"{seed} {number}")
    if rng.randrange(ONE_LARGE_OF) == 0:
        return rng.choice(LARGE)()
    body = Mutation(rng, rng.choice(valid))
    for _ in range(rng.choice((0, 1, 1, 1, 2, 2, 4))):
        rng.choice(CHANGES)(body)
    data = body.encode().encode("utf-8", "surrogatepass")
    return rng.choice(BREAKS)(rng, data) if rng.random() < 0.2 else data
