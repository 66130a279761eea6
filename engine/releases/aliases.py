"""Aliases: names of a workflow's versions, of which each may have a canary.

The map of a workflow's aliases stands as JSON in the workflow's record, which scripts read too.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Self

import msgspec
from msgspec import Struct, field

LIVE = "live"
"""Alias of the published version; it stands in the map only while it has a canary."""
DRAFT = "draft"
"""Word for the draft in place of a version, so that no alias may have this name."""
NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
MOST_ALIASES = 20
"""Most aliases of a workflow, beside `live`."""
MOST_HISTORY = 200
"""Newest entries of the history of an alias that are kept."""
DEFAULT_MIN_RUNS = 50
PARTS_OF_A_PERCENT = 100
"""Parts into which the hash of a run divides a percent."""


class Canary(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Version that gets a share of the runs of an alias, and the rule that takes it back."""

    id: str = ""
    """Another one for each canary that is set: runs are counted by it."""
    version: int
    percent: int
    """Share of the runs, 1 to 99."""
    min_runs: int = field(default=DEFAULT_MIN_RUNS, name="minRuns")
    """Runs of the canary before the rule decides."""
    max_error_rate: float | None = None
    """Share of failed runs above which it is taken back, 0 to 1; None: no failure takes it back."""
    max_p95_ms: int | None = field(default=None, name="maxP95Ms")
    """Duration in milliseconds, of 19 of 20 runs, above which it is taken back."""

    def takes(self, key: str) -> bool:
        """Return whether the run of this key is one of the canary's.

        Runs with one key get the same answer, and the shares of two canaries are independent.
        """
        digest = hashlib.blake2b(f"{self.id}:{key}".encode(), digest_size=8).digest()
        part = int.from_bytes(digest) % (100 * PARTS_OF_A_PERCENT)
        return part < self.percent * PARTS_OF_A_PERCENT


class Alias(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Name of a version."""

    version: int
    canary: Canary | None = None
    updated_at: int = 0
    """Time of the last change in milliseconds since the epoch."""


class AliasState(Struct, frozen=True, kw_only=True):
    """Version of an alias and its canary before or after a change."""

    version: int
    canary: Canary | None = None


class AliasTransition(Struct, frozen=True, kw_only=True, rename={"before": "from", "after": "to"}):
    """States around a change; None: there was no such alias."""

    before: AliasState | None
    after: AliasState | None


class AliasChange(Struct, frozen=True, kw_only=True):
    """Entry of the history of an alias."""

    at: int
    """Milliseconds since the epoch."""
    by: str
    """`user`, or `system` for a canary that was taken back by its rule."""
    change: AliasTransition
    reason: str


class Choice(Struct, frozen=True, kw_only=True):
    """Version that an alias has chosen for a run."""

    version: int
    alias: str
    canary_id: str = ""
    """Canary of the alias, whichever version the run has; empty: there is none."""
    is_canary: bool = False
    """Whether the version is the canary's."""

    @property
    def is_named_version(self) -> bool:
        """Whether the version need not be the live one."""
        return self.alias != LIVE or self.is_canary

    @property
    def release(self) -> str:
        """Canary with the side of the run, `c` in it or `l` beside it; empty without a canary."""
        return f"{self.canary_id}:{'c' if self.is_canary else 'l'}" if self.canary_id else ""


class Aliases(Struct, frozen=True):
    """Aliases of a workflow as they were read."""

    by_name: Mapping[str, Alias] = {}
    revision: int = 0
    """Number that grows with each change; 0: the workflow has never had an alias."""

    @classmethod
    def parse(cls, data: bytes | None, revision: bytes | int | None = None) -> Self:
        """Return the aliases of the fields of a workflow's record."""
        return cls(_decoder.decode(data) if data else {}, int(revision or 0))

    def choose(self, name: str, key: str) -> Choice | None:
        """Return the version of the run with this key; None: there is no alias of this name.

        `live` without a canary is no entry: its version is the published one. `key` is the digest
        of the run's idempotency key or its id; an empty one takes no part in a canary.
        """
        alias = self.by_name.get(name)
        if alias is None:
            return None
        canary = alias.canary if key else None
        if canary is None:
            return Choice(version=alias.version, alias=name)
        takes = canary.takes(key)
        version = canary.version if takes else alias.version
        return Choice(version=version, alias=name, canary_id=canary.id, is_canary=takes)

    def names_of(self, version: int) -> list[str]:
        """Return the names of the aliases of a version, in order."""
        return sorted(name for name, each in self.by_name.items() if each.version == version)

    def is_canary(self, version: int) -> bool:
        """Return whether a version is the canary of an alias."""
        canaries = (each.canary for each in self.by_name.values())
        return any(each is not None and each.version == version for each in canaries)


_decoder = msgspec.json.Decoder(dict[str, Alias])
NO_ALIASES = Aliases()


def encode_canary(canary: Canary) -> bytes:
    """Return a canary as scripts take it; a rule at its default is left out."""
    return msgspec.json.encode(canary)


def is_alias_name(text: str) -> bool:
    """Return whether a text may name an alias, `live` too."""
    return NAME.fullmatch(text) is not None and text != DRAFT
