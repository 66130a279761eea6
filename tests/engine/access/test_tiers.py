"""Terms of tiers: the contract's values, and the overrides of an operator's file."""

from decimal import Decimal
from pathlib import Path

import pytest

from engine.access.capabilities import Role, Tier
from engine.access.tiers import TierTerms, load
from engine.settings import SettingError, Settings
from engine.store import Store


def user(tier: Tier, path: str = "") -> TierTerms:
    return load(path).terms(tier, Role.USER)


def test_every_tier_has_terms() -> None:
    assert set(load().by_tier) == set(Tier)


@pytest.mark.parametrize(
    ("tier", "limit"), [(Tier.PRO, 100), (Tier.BUSINESS, 1_000), (Tier.ENTERPRISE, None)]
)
def test_the_rates_are_those_of_the_contract(tier: Tier, limit: int | None) -> None:
    assert user(tier).runs_per_minute == limit


@pytest.mark.parametrize(
    ("tier", "saves", "drafts", "checks", "trials", "workflows", "size"),
    [
        (Tier.FREE, 60, 120, 600, 60, 1_000, 200_000_000),
        (Tier.CREATOR, 60, 120, 600, 60, 1_000, 200_000_000),
        (Tier.PRO, 60, 120, 600, 60, 1_000, 200_000_000),
        (Tier.BUSINESS, 600, 1_200, 6_000, 600, 1_000, 200_000_000),
        (Tier.ENTERPRISE, None, None, None, None, 100_000, 20_000_000_000),
    ],
)
def test_what_may_be_saved_is_as_the_contract_says(
    tier: Tier,
    saves: int | None,
    drafts: int | None,
    checks: int | None,
    trials: int | None,
    workflows: int,
    size: int,
) -> None:
    terms = user(tier)

    assert (terms.saves_per_minute, terms.workflows) == (saves, workflows)
    assert terms.draft_writes_per_minute == drafts
    assert (terms.checks_per_minute, terms.expression_trials_per_minute) == (checks, trials)
    assert terms.document_bytes == size


@pytest.mark.parametrize(
    ("tier", "credits", "idempotency_key"),
    [
        (Tier.FREE, 250, True),
        (Tier.CREATOR, 1_700, False),
        (Tier.PRO, 5_000, False),
        (Tier.BUSINESS, 11_329, False),
        (Tier.ENTERPRISE, 0, False),
    ],
)
def test_the_allowances_are_those_of_the_contract(
    tier: Tier, credits: int, idempotency_key: bool
) -> None:
    assert (user(tier).allowance, user(tier).allowance_once) == (credits, idempotency_key)


@pytest.mark.parametrize("tier", list(Tier))
def test_an_admin_of_any_tier_is_unlimited(tier: Tier) -> None:
    terms = load().terms(tier, Role.ADMIN)

    assert terms.runs_per_minute is None
    assert terms.executions_at_once is None
    assert (terms.uploads_per_minute, terms.media_bytes) == (None, None)
    assert (terms.saves_per_minute, terms.workflows, terms.document_bytes) == (None, None, None)
    assert terms.draft_writes_per_minute is None
    assert (terms.checks_per_minute, terms.expression_trials_per_minute) == (None, None)
    assert terms.ceiling == {"*"}
    assert terms.tier is tier


def test_a_file_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "tiers.toml"
    path.write_text('[pro]\nruns_per_minute = 7\nmarkup = "2"\n[business]\nceiling = []\n')

    changed = user(Tier.PRO, str(path))

    assert (changed.runs_per_minute, changed.markup) == (7, Decimal(2))
    assert changed.allowance == user(Tier.PRO).allowance
    assert user(Tier.BUSINESS, str(path)).ceiling == frozenset()
    assert user(Tier.CREATOR, str(path)) == user(Tier.CREATOR)


def test_a_file_can_take_a_limit_away(tmp_path: Path) -> None:
    path = tmp_path / "tiers.toml"
    path.write_text('[pro]\nruns_per_minute = "unlimited"\nexecutions_at_once = "unlimited"\n')

    changed = user(Tier.PRO, str(path))

    assert changed.runs_per_minute is None
    assert changed.executions_at_once is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[pro", "Expected"),
        ("[gold]\n", "there is no tier 'gold'"),
        ("pro = 1\n", "pro: a tier is a table"),
        ("[pro]\nspeed = 1\n", "there is no 'speed'"),
        ("[pro]\nruns_per_minute = 0\n", "pro.runs_per_minute: 0 is neither"),
        ("[pro]\nruns_per_minute = true\n", "pro.runs_per_minute: True is neither"),
        ("[pro]\nruns_per_minute = 1.5\n", "pro.runs_per_minute: 1.5 is neither"),
        ('[pro]\nexecutions_at_once = "many"\n', "pro.executions_at_once: 'many' is neither"),
        ("[pro]\nallowance = -1\n", "pro.allowance: -1 is not"),
        ("[pro]\nallowance_once = 1\n", "pro.allowance_once: 1 is neither"),
        ("[pro]\nmarkup = 1.5\n", "pro.markup: 1.5 is not a number in quotes"),
        ('[pro]\nmarkup = "much"\n', "pro.markup: 'much' is not"),
        ('[pro]\nmarkup = "nan"\n', "pro.markup: 'nan' is not"),
        ('[pro]\nceiling = ["moon"]\n', "pro.ceiling: ['moon'] is not a list of"),
        ('[pro]\nceiling = "workflow"\n', "pro.ceiling: 'workflow' is not a list of"),
    ],
)
def test_a_wrong_file_is_one_sentence_with_its_name_and_the_reason(
    tmp_path: Path, text: str, reason: str
) -> None:
    path = tmp_path / "tiers.toml"
    path.write_text(text)

    with pytest.raises(SettingError) as caught:
        load(str(path))

    message = str(caught.value)
    assert message.startswith(f"HEADRACE_TIERS_FILE: {path}: ")
    assert reason in message
    assert "\n" not in message


def test_a_file_that_is_not_there_or_no_text_is_named(tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe")

    for path in (tmp_path / "nowhere.toml", tmp_path, binary):
        with pytest.raises(SettingError, match=str(path)):
            load(str(path))


def test_a_store_with_wrong_tiers_does_not_open(tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "nowhere.toml"

    with pytest.raises(SettingError, match="No such file"):
        Store.open(Settings(redis_url=settings.redis_url, tiers_file=str(path)))


def test_a_tier_keeps_what_has_ended_for_days_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "tiers.toml"
    path.write_text("[pro]\nretentionDays = 0.5\n")

    found = load(str(path)).by_tier

    assert found[Tier.PRO].retention_days == 0.5
    assert found[Tier.FREE].retention_days is None


@pytest.mark.parametrize("days", ["0", "-1", '"30"', "true", "inf"])
def test_days_that_are_none_are_refused(tmp_path: Path, days: str) -> None:
    path = tmp_path / "tiers.toml"
    path.write_text(f"[pro]\nretentionDays = {days}\n")

    with pytest.raises(SettingError, match="retentionDays"):
        load(str(path))
