"""Sentences about inputs whose length sets the price, from gateways and from workers."""

import re

UNKNOWN = "has a length that cannot be read, and the price of the model is by it"
TOO_LONG = "is too long: the model takes {} s at most, not {} s"
SENTENCE = re.compile(r"'([^']+)' ((?:has a length that cannot be read|is too long: the model).*)")


def read_refusal(message: str) -> tuple[str, str] | None:
    """Return the field and the reason of a worker's sentence about a length, None for others."""
    match = SENTENCE.fullmatch(message)
    return None if match is None else (match[1], match[2])
