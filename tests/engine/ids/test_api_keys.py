import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.ids import api_keys, partitions, tokens
from engine.ids.partitions import partition_of

SHAPE = re.compile(r"hr_live_[A-Za-z0-9_-]{43}_[a-z0-9]{6}")


def test_a_secret_has_the_shape_of_the_contract() -> None:
    secrets = {api_keys.make_secret("acc_1") for _ in range(50)}

    assert len(secrets) == 50
    assert all(SHAPE.fullmatch(secret) and api_keys.is_well_formed(secret) for secret in secrets)


@pytest.mark.parametrize("account_id", [f"acc_{number}" for number in range(16)])
def test_a_secret_alone_says_in_which_partition_its_record_lives(account_id: str) -> None:
    secret = api_keys.make_secret(account_id)

    partition = tokens.partition_of(tokens.digest(secret))

    assert partition == partition_of(account_id)


def test_any_single_changed_character_is_noticed() -> None:
    secret = api_keys.make_secret("acc_1")

    for position in range(len(secret)):
        other = "A" if secret[position] != "A" else "B"
        changed = secret[:position] + other + secret[position + 1 :]
        assert not api_keys.is_well_formed(changed), position


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hr_live_",
        "hr_live__",
        "hr_test_" + "a" * 43 + "_000000",
        "hr_live_" + "a" * 42 + "_000000",
        "hr_live_" + "a" * 43 + "_00000٣",
        "hr_live_" + "ａ" * 43 + "_000000",
        "\ud800",
        "hr_live_" + "a" * 43 + "_000000\n",
    ],
)
def test_what_is_no_key_is_not_well_formed(text: str) -> None:
    assert not api_keys.is_well_formed(text)


@given(st.text(max_size=80))
def test_no_text_breaks_the_check(text: str) -> None:
    assert not api_keys.is_well_formed(text)


def test_space_around_a_key_is_not_part_of_it() -> None:
    secret = api_keys.make_secret("acc_1")

    for changed in (secret + "\n", " " + secret, secret + " ", secret + "\0", secret.upper()):
        assert not api_keys.is_well_formed(changed)


def test_only_a_few_characters_are_shown_again() -> None:
    secret = "hr_live_abcdEFGH" + "x" * 31 + "wxyz" + "_012345"

    assert api_keys.shown_prefix(secret) == "hr_live_abcd"
    assert api_keys.last4(secret) == "2345"


def test_digests_spread_evenly_over_the_partitions() -> None:
    found = Counter(tokens.partition_of(tokens.digest(str(n))) for n in range(16_000))

    assert set(found) == set(partitions.every())
    assert max(found.values()) < 1_250
