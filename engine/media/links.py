"""Signed links to assets, each with an expiry and for the file or one thumbnail."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from engine.media.ids import is_asset_id

PURPOSE = b"headrace: links to media"
PATH = "/media/"
WIDTHS = (64, 128, 256, 512, 1_024)
"""Widths of thumbnails; other widths are rounded up to one of these."""
MAX_PAGE = 20
"""Last page of a document of which there is a picture."""
SIGNATURE_LENGTH = 64
MAX_FIELDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaLink:
    """Parsed link to an asset or a picture of it; `expires` is in seconds since the epoch."""

    asset_id: str
    expires: int
    width: int | None = None
    """Width of a picture; None: the asset itself."""
    page: int = 1
    """Page of a document that the picture shows."""


class LinkSigner:
    """Signs with the first key of the installation and checks with any."""

    def __init__(self, keys: Sequence[str], base: str) -> None:
        self._keys = [hmac.digest(key.encode(), PURPOSE, "sha256") for key in keys]
        self.base = base.rstrip("/")

    @property
    def has_key(self) -> bool:
        """True if a key is set, so that links can be signed."""
        return bool(self._keys)

    def url(self, asset_id: str, expires: int, width: int | None = None, page: int = 1) -> str:
        """Return a link that is valid until `expires`, in seconds since the epoch."""
        link = MediaLink(asset_id=asset_id, expires=expires, width=width, page=page)
        form = f"w={width}&" if width else ""
        if page > 1:
            form += f"page={page}&"
        signature = _sign(self._keys[0], link)
        return f"{self.base}{PATH}{asset_id}?{form}expires={expires}&signature={signature}"

    def verify(self, asset_id: str, query: Mapping[str, str]) -> MediaLink | None:
        """Parse a link, even an expired one; return None if its signature is wrong."""
        link = _parse(asset_id, query)
        signature = query.get("signature", "")
        if link is None or len(signature) != SIGNATURE_LENGTH or not signature.isascii():
            return None
        matches = [hmac.compare_digest(_sign(key, link), signature) for key in self._keys]
        return link if any(matches) else None

    def read_url(self, url: str) -> MediaLink | None:
        """Like `read`, for a whole URL with any host; None if it is no signed link."""
        if PATH not in url:
            return None
        try:
            parts = urlsplit(url)
            query = dict(parse_qsl(parts.query, max_num_fields=MAX_FIELDS))
        except ValueError:
            return None
        before, _, asset_id = parts.path.rpartition(PATH)
        return None if before and not self.base.endswith(before) else self.verify(asset_id, query)


def round_width(width: int) -> int:
    """Return the width of the thumbnail that serves a requested width."""
    return next((each for each in WIDTHS if each >= width), WIDTHS[-1])


def _parse(asset_id: str, query: Mapping[str, str]) -> MediaLink | None:
    expires, width, page = query.get("expires", ""), query.get("w"), query.get("page")
    if not is_asset_id(asset_id) or not _is_number(expires):
        return None
    if width is not None and (not _is_number(width) or int(width) not in WIDTHS):
        return None
    if page is not None and not (_is_number(page) and width and 1 < int(page) <= MAX_PAGE):
        return None
    return MediaLink(
        asset_id=asset_id,
        expires=int(expires),
        width=None if width is None else int(width),
        page=1 if page is None else int(page),
    )


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 12 and not text.startswith("0")


def _sign(key: bytes, link: MediaLink) -> str:
    message = f"{link.asset_id}\n{link.expires}\n{link.width or ''}"
    if link.page > 1:
        message += f"\n{link.page}"
    return hmac.new(key, message.encode(), hashlib.sha256).hexdigest()
