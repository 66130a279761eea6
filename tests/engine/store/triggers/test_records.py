import pytest
from msgspec.structs import replace

from engine.errors import RecordTooNew
from engine.store.redis.record_packing import pack, unpack
from engine.store.triggers.records import FIELDS, pack_settings, parse_settings, parse_trigger
from engine.triggers.trigger import TriggerSettings, TriggerWebhook
from tests.support.triggers.records import HOOK, SCHEDULE

WEBHOOK = TriggerWebhook(url="https://example.com", events=["a"], sealed_secret=b"\xff\x00")


@pytest.mark.parametrize("settings", [SCHEDULE, HOOK])
def test_settings_are_packed_and_back(settings: TriggerSettings) -> None:
    assert parse_settings(pack_settings(settings)) == settings


def test_a_sealed_secret_is_packed_as_bytes() -> None:
    settings = replace(SCHEDULE, webhook=WEBHOOK)

    assert unpack(pack_settings(settings))["webhook"]["sealed_secret"] == b"\xff\x00"
    assert parse_settings(pack_settings(settings)) == settings


def test_a_later_format_is_refused() -> None:
    with pytest.raises(RecordTooNew):
        parse_settings(pack({"format": 99}))


def test_a_choice_of_a_later_release_is_refused_and_a_member_is_not() -> None:
    members = unpack(pack_settings(SCHEDULE))
    schedule = {**members["schedule"], "later": {"a": 1}}

    assert parse_settings(pack({**members, "schedule": schedule, "later": 1})) == SCHEDULE
    with pytest.raises(RecordTooNew):
        parse_settings(pack({**members, "schedule": {**schedule, "overlap": "queue"}}))


def test_no_settings_are_no_trigger() -> None:
    assert parse_trigger("acc", "trg_1", [None] * (1 + len(FIELDS)), None) is None
