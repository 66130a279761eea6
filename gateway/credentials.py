"""What a request brings to say who calls, before anything is known of it."""

from starlette.types import Scope

KEY_HEADER = b"x-api-key"


def presented_keys(scope: Scope) -> list[str]:
    """The API keys in the headers: one, unless something is wrong."""
    return [value.decode("latin-1") for name, value in scope["headers"] if name == KEY_HEADER]
