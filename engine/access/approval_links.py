"""Links to approvals: the holder of a link may answer its approval, without an account.

The token of a link is the sealed place of the approval: nothing is stored for it, it cannot be
guessed or changed into that of another approval, and every key of the installation opens it.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Self

from engine.access.sealing import Sealer, Unsealable

PATH = "/approvals/"
SEAL_PLACE = ("approval",)
MAX_TOKEN = 256
"""Characters; a token has about 120."""
TOKEN = re.compile(rf"[A-Za-z0-9_-]{{1,{MAX_TOKEN}}}", re.ASCII)
PLACE = re.compile(r"([^/]+)/([^/]+)/(0|[1-9][0-9]{0,8})", re.ASCII)


@dataclass(frozen=True, slots=True)
class ApprovalPlace:
    """An approval: a node, by its index in the plan, of an execution of an account."""

    account_id: str
    execution_id: str
    node_index: int

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Parse the text of a place; None for any other text."""
        match = PLACE.fullmatch(text)
        return None if match is None else cls(match[1], match[2], int(match[3]))

    def __str__(self) -> str:
        return f"{self.account_id}/{self.execution_id}/{self.node_index}"


class ApprovalLinks:
    """Makes the links to approvals and reads them."""

    def __init__(self, sealer: Sealer, base: str) -> None:
        """`base` is the address of the installation in links."""
        self._sealer = sealer
        self._base = base

    def url_of(self, place: ApprovalPlace, base: str = "") -> str | None:
        """Return the link to an approval, always the same; None in an installation without a key.

        `base` replaces the address of the installation.
        """
        if not self._sealer.has_key:
            return None
        sealed = self._sealer.seal(str(place), SEAL_PLACE)
        return f"{(base or self._base).rstrip('/')}{PATH}{_encode(sealed)}"

    def read(self, token: str) -> ApprovalPlace | None:
        """Return the approval of a token; None for any text that is no token of this installation.

        The approval may be answered or gone.
        """
        if TOKEN.fullmatch(token) is None:
            return None
        try:
            sealed = urlsafe_b64decode(token + "=" * (-len(token) % 4))
            opened = self._sealer.open(sealed, SEAL_PLACE)
        except (ValueError, Unsealable):
            return None
        # The last character of a token has bits that say nothing: one approval has one link.
        return ApprovalPlace.parse(opened) if _encode(sealed) == token else None


def _encode(sealed: bytes) -> str:
    return urlsafe_b64encode(sealed).decode().rstrip("=")
