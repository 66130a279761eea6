from typing import Annotated, Any

import pytest
from msgspec import Meta

from engine.errors import InvalidTrigger
from gateway.http.types import refused
from gateway.triggers.trigger_body import TriggerBody


class Body(TriggerBody, kw_only=True):
    """A body."""

    name: Annotated[str, Meta(min_length=1), refused("must be a text")]
    max_credits: int = 0


def refusal(body: dict[str, Any], within: str = "") -> tuple[str, str]:
    with pytest.raises(InvalidTrigger) as caught:
        Body.parse(body, within)
    return caught.value.context["field"], caught.value.context["reason"]


def test_members_are_parsed() -> None:
    assert Body.parse({"name": "a", "maxCredits": 3}) == Body(name="a", max_credits=3)


@pytest.mark.parametrize("body", [{}, {"name": 1}, {"name": ""}])
def test_a_wrong_member_is_a_wrong_setting(body: dict[str, Any]) -> None:
    assert refusal(body) == ("name", "'name' must be a text")


def test_an_error_names_the_path_of_a_member() -> None:
    assert refusal({}, "verify.") == ("verify.name", "'verify.name' must be a text")
    assert refusal({"name": "a", "b": 1}, "verify.")[0] == "verify.b"


def test_an_unknown_member_is_refused_with_those_that_there_are() -> None:
    reason = "There is no member 'other'; it takes name, maxCredits"
    assert refusal({"name": "a", "other": 1}) == ("other", reason)


def test_an_unknown_member_that_may_be_a_secret_is_not_repeated() -> None:
    field, reason = refusal({"name": "a", "sk-live_4711": 1})

    assert field == "…"
    assert "4711" not in reason
