"""Records of API keys: facts for scripts, a bar, and the packed rest."""

from dataclasses import asdict

from engine.store.accounts.principals import ApiKey, KeyClient
from engine.store.formats import Format
from engine.store.redis.record_packing import pack, unpack


def pack_key(key: ApiKey, former: bytes = b"") -> bytes:
    """Return the key's record: account id, a comma and the expiry if it has one, a bar, the rest.

    Scripts read the part before the bar. Members that a later version has written into the former
    record are kept.
    """
    members = asdict(key)
    expires_at = members.pop("expires_at")
    if key.client is None:
        del members["client"]
    expiry = "" if expires_at is None else f",{expires_at}"
    kept = unpack(former.partition(b"|")[2]) if former else Format.API_KEY.members
    return f"{key.account_id}{expiry}|".encode() + pack({**kept, **members})


def parse_key(record: bytes) -> ApiKey:
    """Return the key of a record, ignoring members of later versions. Raises RecordTooNew."""
    facts, _, rest = record.partition(b"|")
    fields = unpack(rest)
    Format.API_KEY.check(fields)
    expires_at = facts.partition(b",")[2]
    client = fields.get("client")
    return ApiKey(
        id=fields["id"],
        account_id=fields["account_id"],
        name=fields["name"],
        prefix=fields["prefix"],
        last4=fields["last4"],
        capabilities=tuple(fields["capabilities"]),
        created_at=fields["created_at"],
        expires_at=int(expires_at) if expires_at else None,
        client=KeyClient(id=client["id"], name=client["name"]) if client else None,
    )
