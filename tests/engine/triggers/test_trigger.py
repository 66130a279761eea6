from engine.triggers.trigger import TriggerKind
from tests.support.triggers.records import HOOK, SCHEDULE


def test_settings_tell_their_kind_and_their_secret() -> None:
    assert SCHEDULE.kind is TriggerKind.SCHEDULE
    assert SCHEDULE.secret_name == ""
    assert HOOK.kind is TriggerKind.WEBHOOK
    assert HOOK.secret_name == "SIGNING"
