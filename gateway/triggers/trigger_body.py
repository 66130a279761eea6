"""Bodies whose members are settings of a trigger."""

from collections.abc import Mapping
from typing import Any, Self

from engine.errors import InvalidBody, InvalidTrigger
from gateway.http.types import NAME, RequestBody, members_of

MISSPELT = {"maxCredits": "max_credits"}


class TriggerBody(RequestBody, kw_only=True):
    """A body whose wrong and unknown members are refused with `INVALID_TRIGGER`."""

    @classmethod
    def parse(cls, body: Mapping[str, Any], within: str = "") -> Self:
        """Parse a decoded body; errors name members within this path. Raises InvalidTrigger."""
        known = [each.name for each in members_of(cls)]
        for name in body:
            if name not in known:
                raise _unknown(name, within, known)
        try:
            return super().parse(body)
        except InvalidBody as error:
            name = error.context["field"]
            message = error.message.replace(f"'{name}'", f"'{within}{name}'", 1)
            raise InvalidTrigger(within + name, message) from None


def _unknown(name: str, within: str, known: list[str]) -> InvalidTrigger:
    shown = name if NAME.fullmatch(name) else "…"  # a text that may be a secret is not repeated
    if name in MISSPELT:
        return InvalidTrigger(name, f"The member is called '{MISSPELT[name]}'")
    reason = f"There is no member '{within}{shown}'; it takes {', '.join(known)}"
    return InvalidTrigger(within + shown, reason)
