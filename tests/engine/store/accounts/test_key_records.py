from dataclasses import replace

import pytest

from engine.store import ApiKey
from engine.store.accounts.key_records import pack_key, parse_key
from engine.store.accounts.principals import KeyClient
from engine.store.redis.record_packing import pack

KEY = ApiKey(
    id="key_1",
    account_id="acc_1",
    name="website",
    prefix="hr_live_",
    last4="Qk3d",
    capabilities=("workflow:read", "workflow:run"),
    created_at=1,
)


@pytest.mark.parametrize("expires_at", [None, 2, 253_402_300_799_999])
def test_a_record_is_read_as_the_key_that_it_was(expires_at: int | None) -> None:
    key = replace(KEY, expires_at=expires_at)

    assert parse_key(pack_key(key)) == key


def test_a_record_begins_with_the_facts_that_scripts_read() -> None:
    assert pack_key(KEY).startswith(b"acc_1|")
    assert pack_key(replace(KEY, expires_at=7)).startswith(b"acc_1,7|")


def test_a_record_from_before_keys_expired_has_no_expiry() -> None:
    members = {name: getattr(KEY, name) for name in KEY.__slots__ if name != "expires_at"}

    assert parse_key(b"acc_1|" + pack(members)) == KEY


def test_a_key_that_was_granted_keeps_its_client_and_others_have_none() -> None:
    granted = replace(KEY, client=KeyClient(id="client-1", name="Notes"))

    assert parse_key(pack_key(granted)) == granted
    assert parse_key(pack_key(replace(granted, name="Laptop"), pack_key(granted))).client
    assert b"client" not in pack_key(KEY)
