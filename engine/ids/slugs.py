"""Slugs: the permanent, URL-safe name of a workflow."""

import re
import unicodedata

from engine.errors import InvalidSlug

MAX_SLUG = 64
NAMELESS = "untitled-workflow"
SLUG = re.compile(rf"[a-z0-9-]{{1,{MAX_SLUG}}}")


def slugify(name: str) -> str:
    """Return the slug derived from a name; another workflow may have it."""
    plain = unicodedata.normalize("NFKD", name[:1_000]).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")
    return words[:MAX_SLUG].rstrip("-") or NAMELESS


def numbered(slug: str, number: int) -> str:
    """Return an alternative to a taken slug: `slug-2`, `slug-3`, …"""
    suffix = f"-{number}"
    return slug[: MAX_SLUG - len(suffix)].rstrip("-") + suffix


def check_slug(slug: str) -> str:
    """Return the slug if its format is right. Raises InvalidSlug."""
    if not SLUG.fullmatch(slug):
        raise InvalidSlug(f"A slug has 1 to {MAX_SLUG} characters out of a-z, 0-9 and '-'")
    return slug
