"""Records of media: owner, facts and retention."""

import asyncio
import contextlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from engine.access.tiers import Tiers
from engine.errors import AssetNotFound, InvalidCursor, MediaQuotaExceeded
from engine.ids.partitions import partition_of
from engine.media.formats import Facts, MediaKind, media_kind_of
from engine.media.ids import PATTERN, is_asset_id, make_asset_id
from engine.store.accounts.rate_limits import limits_by_tier
from engine.store.archive.archive import Archive
from engine.store.archive.no_archive import NoArchive
from engine.store.archive.state import ArchiverStates
from engine.store.executions.record_fields import parse_hash
from engine.store.partitioned.first_members import FirstMembers
from engine.store.redis import batch_keys, keyspace
from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS
from engine.store.triggers import asset_references as triggers

GIVEN_UP_MS = 3_600_000
"""Time in which an announced upload must be complete."""
LEAST_MS = 3_600_000
"""Minimum remaining life of an asset that an execution uses."""
GOES_ON_MS = 86_400_000
"""Time until the references of an asset are examined again."""
READING_MS = 120_000
"""Time between the hiding of an asset and the removal of its bytes, for running readers."""
REFERENCES_AT_ONCE = 500
ROTATION_SECONDS = 60.0
DUE_NOW_MS = 0
"""Delay of an immediate review."""
WORKFLOW = "workflow "
"""Prefix of workflow slugs among the references of an asset."""
PLACE = re.compile(rf"[0-9]{{13,15}}\.{PATTERN}")
"""Cursor of an account's list as scripts write it: creation time and asset id."""


class AssetSource(StrEnum):
    """Origin of an asset."""

    UPLOAD = "upload"
    PROVIDER = "provider"

    @classmethod
    def parse(cls, text: str) -> "AssetSource":
        """Return the origin on record; PROVIDER for one of a later release: nobody uploaded it."""
        return cls.UPLOAD if text == cls.UPLOAD else cls.PROVIDER


class AssetReview(StrEnum):
    """Outcome of the review of an expired asset."""

    EARLY = "early"
    GONE = "gone"
    EXTENDED = "extended"
    MORE = "more"
    HIDDEN = "hidden"
    RIPE = "ripe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """Stored medium. Times are in milliseconds."""

    id: str
    account_id: str
    content_type: str
    bytes: int
    source: AssetSource
    created_at: int
    expires_at: int
    width: int | None = None
    height: int | None = None
    duration_ms: int | None = None

    @property
    def medium(self) -> MediaKind:
        """Kind of the medium."""
        return media_kind_of(self.content_type)


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadReservation:
    """Reserved id of an upload, with the account's usage and quota."""

    asset_id: str
    stored: int
    """Bytes of all media of the account."""
    limit: int | None
    """Quota in bytes; None: unlimited."""

    @property
    def remaining_bytes(self) -> float:
        """Bytes left in the quota."""
        return float("inf") if self.limit is None else self.limit - self.stored


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetPage:
    """Page of an account's assets, newest first."""

    assets: Sequence[Asset]
    next_cursor: str | None
    stored: int
    """Bytes of all media of the account."""


class AssetRecords:
    """Records of assets, from the announcement of their bytes until their removal.

    A record is created before its bytes and removed after them, and is visible only in between. So
    after any crash no visible record lacks its bytes, and no bytes lack a record.
    """

    def __init__(
        self,
        client: Client,
        tiers: Tiers,
        retention_days: float,
        archive: Archive | None = None,
    ) -> None:
        self._client = client
        self._due = FirstMembers(client, keyspace.assets_due)
        self._archive = archive or NoArchive(ArchiverStates(client).database_id)
        self._limits = limits_by_tier(tiers, lambda terms: terms.media_bytes)
        self._keep_ms = int(retention_days * 86_400_000)

    async def reserve_upload(self, account_id: str, source: AssetSource) -> UploadReservation:
        """Reserve an id for bytes to be stored. Raises MediaQuotaExceeded."""
        asset_id = make_asset_id(account_id)
        partition = partition_of(asset_id)
        reply = await self._client.call(
            SCRIPTS["add_asset"],
            asset=keyspace.asset(partition, asset_id),
            assets_due=keyspace.assets_due(partition),
            accounts=keyspace.accounts(partition),
            media_bytes=keyspace.media_bytes(partition),
            asset_id=asset_id,
            account=account_id,
            source=source,
            upload_ms=GIVEN_UP_MS,
            limits=self._limits,
        )
        stored, limit = _parse_quota(reply)
        return UploadReservation(asset_id=asset_id, stored=stored, limit=limit)

    async def complete(
        self, asset_id: str, facts: Facts, size: int, execution_id: str = ""
    ) -> Asset:
        """Make an asset visible whose bytes are stored.

        Raises AssetNotFound when the upload took too long, and MediaQuotaExceeded.
        """
        partition = partition_of(asset_id)
        fields = {
            "type": facts.content_type,
            "width": facts.width,
            "height": facts.height,
            "ms": facts.duration_ms,
        }
        reply = await self._client.call(
            SCRIPTS["complete_asset"],
            asset=keyspace.asset(partition, asset_id),
            assets_due=keyspace.assets_due(partition),
            asset_references=keyspace.asset_references(partition, asset_id),
            account_assets=keyspace.account_assets(partition),
            accounts=keyspace.accounts(partition),
            media_bytes=keyspace.media_bytes(partition),
            asset_id=asset_id,
            keep_ms=self._keep_ms,
            execution_id=execution_id,
            bytes=size,
            fields=[word for pair in fields.items() if pair[1] is not None for word in pair],
            limits=self._limits,
        )
        if not reply:
            raise AssetNotFound
        _parse_quota(reply)
        return await self.find(asset_id)

    async def abandon_upload(self, asset_id: str) -> None:
        """Schedule the removal of an incomplete upload."""
        due = keyspace.assets_due(partition_of(asset_id))
        await self._client.send("ZADD", due, "XX", DUE_NOW_MS, asset_id)

    async def find(self, asset_id: str) -> Asset:
        """Return an asset of any account. Raises AssetNotFound."""
        if not is_asset_id(asset_id):
            raise AssetNotFound
        key = keyspace.asset(partition_of(asset_id), asset_id)
        record = parse_hash(await self._client.send("HGETALL", key))
        if record.get("state") != b"stored":
            raise AssetNotFound
        return _parse(asset_id, record)

    async def content_type(self, asset_id: str) -> str:
        """Return the type of an asset, also of a hidden one; empty: its upload is not complete."""
        key = keyspace.asset(partition_of(asset_id), asset_id)
        return (await self._client.send("HGET", key, "type") or b"").decode()

    async def get(self, account_id: str, asset_id: str) -> Asset:
        """Return an asset of the account. Raises AssetNotFound."""
        if not is_asset_id(asset_id):
            raise AssetNotFound
        key = keyspace.asset(partition_of(asset_id), asset_id)
        fields = await self._client.call(SCRIPTS["read_asset"], asset=key, account=account_id)
        record = parse_hash(fields)
        if not record:
            raise AssetNotFound
        return _parse(asset_id, record)

    async def page(self, account_id: str, *, limit: int, cursor: str | None = None) -> AssetPage:
        """Return at most `limit` assets of the account. Raises InvalidCursor."""
        if cursor is not None and not PLACE.fullmatch(cursor):
            raise InvalidCursor
        key = keyspace.account_assets(partition_of(account_id))
        first = f"({account_id}|{cursor}" if cursor else f"({account_id}}}"
        last = f"[{account_id}|"
        names, stored = await asyncio.gather(
            self._client.send("ZRANGE", key, first, last, "BYLEX", "REV", "LIMIT", 0, limit + 1),
            self.stored(account_id),
        )
        places = [name.decode().partition("|")[2] for name in names]
        visible = await asyncio.gather(
            *(self._find_visible(place.partition(".")[2]) for place in places[:limit])
        )
        return AssetPage(
            assets=[asset for asset in visible if asset is not None],
            next_cursor=places[limit - 1] if len(places) > limit else None,
            stored=stored,
        )

    async def _find_visible(self, asset_id: str) -> Asset | None:
        with contextlib.suppress(AssetNotFound):  # removed after it was listed
            return await self.find(asset_id)
        return None

    async def delete(self, account_id: str, asset_id: str) -> None:
        """Hide an asset and subtract its bytes, despite its references.

        Its removal is scheduled like that of expired assets. Raises AssetNotFound.
        """
        if not is_asset_id(asset_id):
            raise AssetNotFound
        partition = partition_of(asset_id)
        is_deleted = await self._client.call(
            SCRIPTS["delete_asset"],
            asset=keyspace.asset(partition, asset_id),
            assets_due=keyspace.assets_due(partition),
            account_assets=keyspace.account_assets(partition),
            media_bytes=keyspace.media_bytes(partition),
            asset_id=asset_id,
            account=account_id,
            removal_ms=READING_MS,
        )
        if not is_deleted:
            raise AssetNotFound

    async def retain(self, account_id: str, asset_id: str, execution_id: str) -> None:
        """Retain an asset for as long as the execution's record exists. Raises AssetNotFound."""
        if not is_asset_id(asset_id):
            raise AssetNotFound
        partition = partition_of(asset_id)
        is_retained = await self._client.call(
            SCRIPTS["refer_asset"],
            asset=keyspace.asset(partition, asset_id),
            assets_due=keyspace.assets_due(partition),
            asset_references=keyspace.asset_references(partition, asset_id),
            asset_id=asset_id,
            account=account_id,
            reference=execution_id,
            least_ms=LEAST_MS,
        )
        if not is_retained:
            raise AssetNotFound

    async def retain_for_workflow(self, account_id: str, asset_id: str, slug: str) -> None:
        """Retain the account's asset, if it exists, for as long as the workflow exists."""
        with contextlib.suppress(AssetNotFound):
            await self.retain(account_id, asset_id, f"{WORKFLOW}{slug}")

    async def due(self, now: int, at_most: int) -> list[str]:
        """Return a bounded number of ids of assets due for review, per partition."""
        replies = await asyncio.gather(
            *(
                self._client.send(
                    *("ZRANGE", keyspace.assets_due(partition), "-inf", now),
                    *("BYSCORE", "LIMIT", 0, at_most),
                )
                for partition in await self._due.due(now, ROTATION_SECONDS)
            )
        )
        return [name.decode() for reply in replies for name in reply]

    async def review(self, asset_id: str) -> AssetReview:
        """Review an expired asset. Raises Unavailable.

        A referrer in the history, or a trigger, has no key: that of the asset stands for it.
        """
        account_id, names = await self.needed_by(asset_id)
        others = (WORKFLOW, batch_keys.REFERENCE, triggers.REFERENCE)
        executions = [(account_id, each) for each in names if not each.startswith(others)]
        if executions:
            await self._archive.require()
        archived = await self._archive.known(executions)
        living = await triggers.living_references(self._client, account_id, names)
        needing = living.union(each for _, each in archived)
        partition = partition_of(asset_id)
        own = keyspace.asset(partition, asset_id)
        verdict: bytes = await self._client.call(
            SCRIPTS["review_asset"],
            asset=own,
            assets_due=keyspace.assets_due(partition),
            asset_references=keyspace.asset_references(partition, asset_id),
            account_assets=keyspace.account_assets(partition),
            records=[own if each in needing else _referrer_key(account_id, each) for each in names],
            asset_id=asset_id,
            extension_ms=GOES_ON_MS,
            removal_ms=READING_MS,
            references=names,
        )
        return AssetReview(verdict.decode())

    async def forget(self, asset_id: str) -> None:
        """Remove the record of an asset whose bytes are removed."""
        partition = partition_of(asset_id)
        await self._client.call(
            SCRIPTS["forget_asset"],
            asset=keyspace.asset(partition, asset_id),
            assets_due=keyspace.assets_due(partition),
            asset_references=keyspace.asset_references(partition, asset_id),
            media_bytes=keyspace.media_bytes(partition),
            asset_id=asset_id,
        )

    async def require_space(self, account_id: str) -> None:
        """Raise MediaQuotaExceeded when the account has no bytes left."""
        accounts = keyspace.accounts(partition_of(account_id))
        record = self._client.send("HGET", accounts, account_id)
        stored = await self.stored(account_id)
        tier = (await record or b"").partition(b"|")[0].decode()
        limit = dict(zip(self._limits[::2], self._limits[1::2], strict=True)).get(tier)
        if limit is not None and stored >= int(limit):
            raise MediaQuotaExceeded(stored, int(limit))

    async def stored(self, account_id: str) -> int:
        """Return the bytes of an account's media."""
        key = keyspace.media_bytes(partition_of(account_id))
        return int(await self._client.send("HGET", key, account_id) or 0)

    async def needed_by(self, asset_id: str) -> tuple[str, Sequence[str]]:
        """Return the account of an asset and some of its references."""
        partition = partition_of(asset_id)
        record = self._client.send("HGET", keyspace.asset(partition, asset_id), "account")
        key = keyspace.asset_references(partition, asset_id)
        references = await self._client.send("SRANDMEMBER", key, REFERENCES_AT_ONCE)
        owner: bytes | None = await record
        return (owner or b"").decode(), [name.decode() for name in references]


def _referrer_key(account_id: str, name: str) -> str:
    """Return the key that exists for as long as the referrer."""
    if name.startswith(WORKFLOW):
        return keyspace.workflow(account_id, name.removeprefix(WORKFLOW))
    if name.startswith(batch_keys.REFERENCE):
        return batch_keys.batch(account_id, name.removeprefix(batch_keys.REFERENCE))
    return keyspace.execution(account_id, name)  # none has the reference of a deleted trigger as id


def _parse_quota(reply: Sequence[int]) -> tuple[int, int | None]:
    """Return the account's used bytes and quota. Raises MediaQuotaExceeded."""
    has_room, stored, limit = (*reply, None, None)[:3]
    if not has_room:
        raise MediaQuotaExceeded(stored or 0, limit or 0)
    return stored or 0, limit


def _parse(asset_id: str, record: Mapping[str, bytes]) -> Asset:
    def number(name: str) -> int | None:
        return int(record[name]) if name in record else None

    return Asset(
        id=asset_id,
        account_id=record["account"].decode(),
        content_type=record["type"].decode(),
        bytes=int(record["bytes"]),
        source=AssetSource.parse(record["source"].decode()),
        created_at=int(record["created"]),
        expires_at=int(record["expires"]),
        width=number("width"),
        height=number("height"),
        duration_ms=number("ms"),
    )
