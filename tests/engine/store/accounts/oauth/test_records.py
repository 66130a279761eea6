import pytest

from engine.errors import RecordTooNew
from engine.store.accounts.oauth.records import GrantCode, GrantRequest, OAuthClient
from engine.store.redis.record_packing import pack, unpack
from tests.support.oauth.grants import CLIENT, GRANT, REQUEST


@pytest.mark.parametrize("record", [CLIENT, REQUEST, GRANT])
def test_a_record_is_read_as_it_was(record: OAuthClient | GrantRequest | GrantCode) -> None:
    assert type(record).parse(record.pack()) == record


@pytest.mark.parametrize("record", [CLIENT, REQUEST, GRANT])
def test_members_of_later_versions_are_ignored(
    record: OAuthClient | GrantRequest | GrantCode,
) -> None:
    later = pack({**unpack(record.pack()), "later": [1]})

    assert type(record).parse(later) == record


@pytest.mark.parametrize("record", [CLIENT, REQUEST, GRANT])
def test_a_later_format_is_refused(record: OAuthClient | GrantRequest | GrantCode) -> None:
    later = pack({**unpack(record.pack()), "format": 2})

    with pytest.raises(RecordTooNew):
        type(record).parse(later)
