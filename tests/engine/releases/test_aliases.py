"""Choices of aliases, and the form in which records have them."""

import pytest

from engine.releases.aliases import LIVE, Alias, Aliases, Canary, Choice, is_alias_name

STABLE = Aliases({"stable": Alias(version=3)}, 1)


def with_canary(percent: int, canary_id: str = "one") -> Aliases:
    canary = Canary(id=canary_id, version=4, percent=percent)
    return Aliases({LIVE: Alias(version=3, canary=canary)}, 1)


def test_an_alias_chooses_its_version() -> None:
    assert STABLE.choose("stable", "key") == Choice(version=3, alias="stable")


def test_an_unknown_name_chooses_nothing() -> None:
    assert STABLE.choose("beta", "key") is None


def test_live_without_a_canary_is_no_entry() -> None:
    assert STABLE.choose(LIVE, "key") is None


def test_a_repeated_call_gets_the_same_version() -> None:
    aliases = with_canary(50)

    assert len({aliases.choose(LIVE, "key") for _ in range(10)}) == 1


@pytest.mark.parametrize("percent", [1, 5, 50, 99])
def test_a_canary_gets_its_share(percent: int) -> None:
    aliases = with_canary(percent)
    chosen = [aliases.choose(LIVE, f"{number}") for number in range(20_000)]

    share = sum(each is not None and each.is_canary for each in chosen) / len(chosen)

    assert abs(share - percent / 100) < 0.012


def test_shares_of_two_canaries_are_independent() -> None:
    both = [
        [with_canary(50, name).choose(LIVE, f"{number}") for number in range(4_000)]
        for name in ("one", "two")
    ]

    shared = sum(
        bool(first and second and first.is_canary and second.is_canary)
        for first, second in zip(*both, strict=True)
    )

    assert 800 < shared < 1_200


def test_runs_beside_a_canary_name_it_too() -> None:
    chosen = [with_canary(50).choose(LIVE, f"{number}") for number in range(50)]

    assert {each.release for each in chosen if each} == {"one:c", "one:l"}


def test_a_run_without_a_key_takes_no_part_in_a_canary() -> None:
    chosen = with_canary(99).choose(LIVE, "")

    assert chosen == Choice(version=3, alias=LIVE)
    assert chosen.release == ""


def test_a_record_has_camel_case_and_leaves_out_a_canary_that_is_not_there() -> None:
    record = (
        b'{"beta":{"version":2,"canary":{"id":"a","version":4,"percent":5,"minRuns":10,'
        b'"maxP95Ms":900},"updatedAt":7},"stable":{"version":1,"updatedAt":8,"later":1}}'
    )

    aliases = Aliases.parse(record, b"12")

    assert aliases.revision == 12
    assert aliases.by_name["stable"] == Alias(version=1, updated_at=8)
    assert aliases.by_name["beta"].canary == Canary(
        id="a", version=4, percent=5, min_runs=10, max_p95_ms=900
    )


def test_a_record_without_aliases_has_none() -> None:
    assert Aliases.parse(None) == Aliases({}, 0)


def test_a_version_has_names_and_may_be_a_canary() -> None:
    aliases = with_canary(5)

    assert aliases.names_of(3) == [LIVE]
    assert aliases.is_canary(4)
    assert not aliases.is_canary(3)


@pytest.mark.parametrize("name", ["stable", "b2", "a-b", "live", "a" * 32])
def test_names_that_an_alias_may_have(name: str) -> None:
    assert is_alias_name(name)


@pytest.mark.parametrize("name", ["", "draft", "2b", "A", "a_b", "a" * 33, "-a"])
def test_names_that_no_alias_may_have(name: str) -> None:
    assert not is_alias_name(name)
