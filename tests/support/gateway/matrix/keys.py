"""Texts in the place of a key that are none."""

from collections.abc import Callable

from engine.ids import api_keys

MALFORMED: dict[str, Callable[[str], str]] = {
    "empty": lambda good: "",
    "a bearer": lambda good: f"Bearer {good}",
    "unknown": lambda good: good,
    "wrong checksum": lambda good: good[:-1] + ("a" if good[-1] != "a" else "b"),
    "one character changed": lambda good: good[:10] + ("a" if good[10] != "a" else "b") + good[11:],
    "wrong prefix": lambda good: "hr_test_" + good[8:],
    "swapped case": lambda good: good.swapcase(),
    "very long": lambda good: good * 150,
    "not ASCII": lambda good: good[:-1] + "é",
    "digits of another script": lambda good: good[:-1] + "٣",
    "spaces inside": lambda good: good[:20] + " " + good[20:],
}
"""Ways to spoil a well-formed key, which belongs to nobody."""


def malformed_key(name: str) -> str:
    """Return a text that is no key of anybody."""
    return MALFORMED[name](api_keys.make_secret("acct"))
