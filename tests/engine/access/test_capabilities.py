"""Capabilities of API keys, by the contract's section on keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.access.capabilities import (
    GENERAL,
    PRESETS,
    WILDCARDS,
    Role,
    Tier,
    add_by_name,
    check_ceiling,
    covers,
    is_under_ceiling,
    parse,
    parse_all,
)
from engine.access.tiers import load
from engine.errors import ApiKeyAccessDenied, CapabilityAboveCeiling, InvalidCapability

ALL_GENERAL = {
    "workflow:run",
    "workflow:read",
    "workflow:write",
    "model:run",
    "webhook:receive",
    "execution:read",
    "execution:cancel",
    "execution:approve",
    "agent:invoke",
}


TIERS = load()


def ceiling(tier: Tier, role: Role = Role.USER) -> frozenset[str]:
    return TIERS.terms(tier, role).ceiling


def test_the_general_capabilities_are_those_of_the_contract() -> None:
    assert ALL_GENERAL == GENERAL


def test_the_presets_are_those_of_the_contract() -> None:
    assert {name: set(held) for name, held in PRESETS.items()} == {
        "Read-only": {"workflow:read"},
        "Workflow Deploy": {"workflow:run", "workflow:read"},
        "Webhook receiver": {"webhook:receive"},
        "Full deploy": {"workflow:run", "workflow:read", "workflow:write"},
        "Run with webhooks": {"workflow:run", "workflow:read", "webhook:receive"},
    }


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_every_preset_is_open_to_every_tier_with_keys(preset: str) -> None:
    for tier in (Tier.PRO, Tier.BUSINESS, Tier.ENTERPRISE):
        check_ceiling(parse_all(PRESETS[preset]), tier, ceiling(tier))


@pytest.mark.parametrize(
    "text",
    [
        *sorted(ALL_GENERAL | WILDCARDS),
        "*",
        "workflow:echo:run",
        "workflow:a:run",
        "workflow:run:run",
        "workflow:read:run",
        "workflow:2-fast-2-furious:run",
        "workflow:" + "a" * 64 + ":run",
        "model:flux.1-Pro_v2:run",
    ],
)
def test_a_capability_parses_to_itself(text: str) -> None:
    assert parse(text) == text


@pytest.mark.A72
@pytest.mark.parametrize(
    "text",
    [
        *("", ":", "::", "workflow", "workflow:", ":run", "run", "**", "*:*", "*:run"),
        *("workflow:fly", "workflow:*:run", "workflow:echo:*", "workflow:echo:read"),
        *("workflow:echo:write", "workflow::run", "workflow:Echo:run", "workflow:e_o:run"),
        *("workflow:a:b:run", "workflow:run ", " workflow:run", "workflow:run\n"),
        *("WORKFLOW:RUN", "model:*:run", "model:a/b:run", "model:.x:run", "agent:run"),
        *("webhook:x:receive", "execution:x:read", "workflow:" + "a" * 65 + ":run"),
        *("workflow:écho:run", "workflow:٣:run", "\ud800", "x" * 10_000),
    ],
)
def test_what_is_no_capability_is_refused(text: str) -> None:
    with pytest.raises(InvalidCapability) as caught:
        parse(text)

    assert len(caught.value.message) < 200


@pytest.mark.A72
@given(st.text(alphabet="workflmde:*-runa0 ", max_size=24))
def test_no_text_breaks_the_parser(text: str) -> None:
    try:
        assert parse(text) == text
    except InvalidCapability:
        assert text not in GENERAL


def test_a_set_is_sorted_and_without_repetition() -> None:
    assert parse_all(["workflow:run", "workflow:read", "workflow:run"]) == (
        "workflow:read",
        "workflow:run",
    )
    assert parse_all([]) == ()


@pytest.mark.parametrize("held", sorted(ALL_GENERAL))
@pytest.mark.parametrize("required", sorted(ALL_GENERAL - {"execution:read", "execution:cancel"}))
def test_no_general_capability_implies_another(held: str, required: str) -> None:
    assert covers([held], required) is (held == required)
    assert covers([held], required, "echo") is (held == required)


@pytest.mark.parametrize("required", sorted(ALL_GENERAL - {"execution:approve"}))
def test_a_wildcard_covers_its_resource_and_the_star_all(required: str) -> None:
    resource = required.partition(":")[0]
    for wildcard in WILDCARDS:
        is_implicit = resource == "execution"
        assert covers([wildcard], required) is (wildcard == f"{resource}:*" or is_implicit)
    assert covers(["*"], required, "echo")


@pytest.mark.A106
def test_an_approval_needs_its_capability_by_name() -> None:
    for wildcard in WILDCARDS:
        assert not covers([wildcard], "execution:approve")
    assert covers(["*"], "execution:approve")
    assert not covers([], "execution:approve")


def test_a_new_key_with_all_of_executions_may_approve_by_name() -> None:
    assert add_by_name(["execution:*", "agent:invoke"]) == (
        *("agent:invoke", "execution:*", "execution:approve"),
    )
    assert add_by_name(["execution:read", "workflow:*", "*"]) == (
        *("*", "execution:read", "workflow:*"),
    )


def test_every_key_may_read_and_cancel_executions() -> None:
    assert covers([], "execution:read")
    assert covers(["webhook:receive"], "execution:cancel")


def test_a_capability_for_one_workflow_is_for_that_one_alone() -> None:
    held = ["workflow:echo:run"]

    assert covers(held, "workflow:run", "echo")
    for name in (None, "", "other", "echo-2", "ech", "*", "echo:run", "ECHO"):
        assert not covers(held, "workflow:run", name)
    assert not covers(held, "workflow:read", "echo")
    assert not covers(held, "workflow:write", "echo")
    assert not covers(held, "model:run", "echo")


@pytest.mark.parametrize("slug", ["run", "read", "write", "workflow"])
def test_a_workflow_called_like_a_verb_confuses_nothing(slug: str) -> None:
    specific = parse(f"workflow:{slug}:run")

    assert covers([specific], "workflow:run", slug)
    assert not covers([specific], "workflow:run", "other")
    assert not covers([specific], "workflow:run")
    assert not covers([specific], "workflow:read", slug)
    assert not covers(["workflow:read"], "workflow:run", slug)
    assert covers(["workflow:run"], "workflow:run", slug)


@pytest.mark.A72
def test_a_name_made_to_look_like_a_wildcard_opens_nothing() -> None:
    for name in ("*", "x:run", ":", "run", ""):
        assert not covers(["workflow:read", "model:x:run"], "workflow:run", name)


@pytest.mark.parametrize("tier", [Tier.FREE, Tier.CREATOR])
def test_the_lower_tiers_have_no_keys(tier: Tier) -> None:
    for capability in (*ALL_GENERAL, "*"):
        assert not is_under_ceiling(capability, ceiling(tier))
    with pytest.raises(ApiKeyAccessDenied):
        check_ceiling(["workflow:read"], tier, ceiling(tier))
    with pytest.raises(ApiKeyAccessDenied):
        check_ceiling([], tier, ceiling(tier))


@pytest.mark.parametrize("capability", sorted(ALL_GENERAL | WILDCARDS))
def test_pro_has_workflows_webhooks_and_executions(capability: str) -> None:
    expected = capability.partition(":")[0] in {"workflow", "webhook", "execution"}

    assert is_under_ceiling(capability, ceiling(Tier.PRO)) is expected
    if not expected:
        with pytest.raises(CapabilityAboveCeiling) as caught:
            check_ceiling(["workflow:run", capability], Tier.PRO, ceiling(Tier.PRO))
        assert caught.value.context == {"attempted": capability}


@pytest.mark.parametrize("tier", [Tier.BUSINESS, Tier.ENTERPRISE])
def test_the_upper_tiers_have_all_but_the_star(tier: Tier) -> None:
    check_ceiling([*ALL_GENERAL, *WILDCARDS, "model:x:run", "workflow:x:run"], tier, ceiling(tier))

    with pytest.raises(CapabilityAboveCeiling):
        check_ceiling(["*"], tier, ceiling(tier))


@pytest.mark.parametrize("tier", list(Tier))
def test_an_admin_has_no_ceiling(tier: Tier) -> None:
    check_ceiling(["*", "model:run"], tier, ceiling(tier, Role.ADMIN))
    assert is_under_ceiling("*", ceiling(tier, Role.ADMIN))
