"""Text answers: an echo marked as the stub's, its tokens and its pieces."""

import re

from deploy.stub_provider.script import without_marks

ECHOED = 400
CHARACTERS_OF_A_TOKEN = 4


def count_tokens(text: str) -> int:
    """Return a quarter of the characters, rounded up, and at least one."""
    return max(1, -(-len(text) // CHARACTERS_OF_A_TOKEN))


def echo(prompt: str, images: int = 0) -> str:
    """Return the answer to a prompt: its beginning, marked as the stub's."""
    seen = f" [{images} image{'s' if images > 1 else ''} seen]" if images else ""
    return f"(stub) {without_marks(prompt)[:ECHOED]}".rstrip() + seen


def cut_to(text: str, tokens: int | None) -> tuple[str, bool]:
    """Return a text of at most so many tokens, and whether it was cut."""
    if tokens is None or count_tokens(text) <= tokens:
        return text, False
    return text[: tokens * CHARACTERS_OF_A_TOKEN], True


def pieces(text: str) -> list[str]:
    """Return the pieces of a stream; joined they are the text."""
    return re.findall(r"\s*\S+\s*\Z|\s*\S+|\s+\Z", text)
