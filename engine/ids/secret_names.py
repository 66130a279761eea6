"""Names of an account's secrets, and the words that stand for a secret in a template."""

import re

NAME = r"[A-Z][A-Z0-9_]{0,63}"
"""Pattern of a name, valid in JSON Schema too."""
PREFIX = "secret."
"""Start of a placeholder for a secret: `{{ secret.NAME }}`."""
NAME_WORDS = "1 to 64 characters out of A-Z, 0-9 and _, a letter first"

_compiled = re.compile(NAME)


def is_secret_name(text: object) -> bool:
    """Return whether a value is a possible name of a secret."""
    return isinstance(text, str) and _compiled.fullmatch(text) is not None
