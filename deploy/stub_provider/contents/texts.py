"""Text answers: an echo marked as the stub's, its tokens and its pieces."""

import re

from deploy.stub_provider.contents.prompt_values import PromptValues, named_options
from deploy.stub_provider.script import without_marks

ECHOED = 400
CHARACTERS_OF_A_TOKEN = 4
_OWN_MARK = re.compile(r"(?:\(stub(?:, in \w+)?\)\s*)+")
_LANGUAGE = re.compile(
    r"\b(?:in|into) (Arabic|Chinese|Czech|Danish|Dutch|English|Finnish|French|German|Greek|Hindi"
    r"|Italian|Japanese|Korean|Norwegian|Polish|Portuguese|Russian|Spanish|Swedish|Turkish"
    r"|Ukrainian)\b"
)


def count_tokens(text: str) -> int:
    """Return a quarter of the characters, rounded up, and at least one."""
    return max(1, -(-len(text) // CHARACTERS_OF_A_TOKEN))


def echo(prompt: str, images: int = 0, system: str = "") -> str:
    """Return the answer to a prompt: its beginning, marked as the stub's.

    Where the instructions ask for one of some named options, it is the one that suits the prompt.
    The mark names the language that they ask for.
    """
    said = _OWN_MARK.sub("", without_marks(prompt), count=1)
    options = named_options(system)
    if options:
        return str(PromptValues(text=said).choose(options))
    seen = f" [{images} image{'s' if images > 1 else ''} seen]" if images else ""
    language = _LANGUAGE.search(system)
    mark = f"(stub, in {language[1]})" if language else "(stub)"
    return f"{mark} {said[:ECHOED]}".rstrip() + seen


def cut_to(text: str, tokens: int | None) -> tuple[str, bool]:
    """Return a text of at most so many tokens, and whether it was cut."""
    if tokens is None or count_tokens(text) <= tokens:
        return text, False
    return text[: tokens * CHARACTERS_OF_A_TOKEN], True


def pieces(text: str) -> list[str]:
    """Return the pieces of a stream; joined they are the text."""
    return re.findall(r"\s*\S+\s*\Z|\s*\S+|\s+\Z", text)
