"""Rules for the secrets of an account: their names, values and number."""

from engine.errors import InvalidSecret
from engine.ids.secret_names import NAME_WORDS, is_secret_name

MAX_SECRETS = 100
MIN_VALUE_BYTES = 8
"""A shorter value is in many texts, so that it cannot be hidden in what servers answer."""
MAX_VALUE_BYTES = 8_192


def check_name(name: str) -> str:
    """Return the name. Raises InvalidSecret."""
    if not is_secret_name(name):
        raise InvalidSecret("name", f"The name of a secret has {NAME_WORDS}")
    return name


def check_value(value: object) -> str:
    """Return the value. Raises InvalidSecret, whose words repeat nothing of it."""
    try:
        size = len(value.encode()) if isinstance(value, str) else 0
    except UnicodeEncodeError:
        size = 0
    if not isinstance(value, str) or (value and not size):
        raise InvalidSecret("value", "The value of a secret must be a text")
    if not value:
        raise InvalidSecret("value", "The value of a secret must not be empty")
    if size < MIN_VALUE_BYTES:
        raise InvalidSecret("value", f"The value of a secret has at least {MIN_VALUE_BYTES} bytes")
    if size > MAX_VALUE_BYTES:
        raise InvalidSecret("value", f"The value of a secret has at most {MAX_VALUE_BYTES} bytes")
    return value
