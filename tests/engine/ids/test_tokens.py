import pytest

from engine.ids import tokens


@pytest.mark.parametrize("partition", range(16))
def test_a_token_alone_says_in_which_partition_its_record_lives(partition: int) -> None:
    token = tokens.make_token("hr_session_", partition)

    assert tokens.partition_of(tokens.digest(token)) == partition


def test_a_token_is_one_of_its_own_kind_alone() -> None:
    token = tokens.make_token("hr_session_", 3)

    assert tokens.is_well_formed(token, "hr_session_")
    assert not tokens.is_well_formed(token, "hr_login_")
    assert not tokens.is_well_formed(token, "hr_live_")
