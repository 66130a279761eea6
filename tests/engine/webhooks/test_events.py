import pytest

from engine.errors import InvalidWebhook
from engine.webhooks.events import ENDS, EVENTS, check_events


def test_events_are_kept_once_each() -> None:
    asked = ["execution.failed", "execution.started", "execution.failed"]

    assert check_events(asked) == ("execution.started", "execution.failed")
    assert check_events(list(EVENTS)) == EVENTS
    assert set(ENDS) < set(EVENTS)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("execution.completed", "must be a list"),
        ([], "must be a list"),
        (None, "must be a list"),
        (["webhook.test"], "must be one of"),
        ([{}], "must be one of"),
        ([7], "must be one of"),
    ],
)
def test_other_values_are_refused(value: object, reason: str) -> None:
    with pytest.raises(InvalidWebhook, match=reason) as refused:
        check_events(value, "webhook.events")

    assert refused.value.context["field"] == "webhook.events"
