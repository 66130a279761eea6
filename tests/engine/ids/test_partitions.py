"""Partitions of accounts: stable for good, evenly used, and unknown before the store says them."""

from collections import Counter

import pytest

from engine.errors import Unavailable
from engine.ids import partitions, tokens
from engine.ids.partitions import MAX_COUNT, partition_of
from engine.media.ids import make_asset_id
from engine.store.redis import keyspace
from tests.support.redis.installation import process_with


@pytest.mark.parametrize(
    ("account_id", "partition"), [("acc_1", 5), ("acc_2", 15), ("", 0), ("Zoë", 10)]
)
def test_the_partition_of_an_account_never_changes(account_id: str, partition: int) -> None:
    assert partition_of(account_id) == partition


@pytest.mark.parametrize(("count", "partition"), [(1, 0), (2, 1), (100, 37), (1_024, 469)])
def test_the_partition_of_an_account_follows_from_their_number(count: int, partition: int) -> None:
    with process_with(count):
        assert partition_of("acc_1") == partition


@pytest.mark.parametrize("count", [1, 16, 1_024])
def test_accounts_are_spread_over_all_partitions(count: int) -> None:
    with process_with(count):
        counts = Counter(partition_of(f"acc_{number}") for number in range(100 * count))

        assert set(counts) == set(partitions.every())
        assert min(counts.values()) > 50


def test_no_key_of_an_account_can_be_named_before_the_number_is_known() -> None:
    keyspace.wallet("acc_1")
    with process_with(0):
        assert partitions.known() is None
        for use in (
            lambda: partition_of("acc_1"),
            lambda: tokens.partition_of("00ff"),
            lambda: keyspace.wallet("acc_1"),
            partitions.count,
            partitions.every,
        ):
            with pytest.raises(Unavailable):
                use()


def test_a_process_learns_the_number_once() -> None:
    with process_with(0):
        partitions.learn(64)
        partitions.learn(64)

        assert (partitions.known(), partitions.count()) == (64, 64)
        assert list(partitions.every()) == list(range(64))
        for other in (16, 0, MAX_COUNT + 1):
            with pytest.raises(ValueError, match=str(other)):
                partitions.learn(other)
        assert partitions.count() == 64


@pytest.mark.parametrize("count", [1, MAX_COUNT])
def test_tokens_and_assets_lie_in_the_partition_of_their_account(count: int) -> None:
    with process_with(count):
        for partition in {0, count // 2, count - 1}:
            token = tokens.make_token("hr_live_", partition)
            assert tokens.partition_of(tokens.digest(token)) == partition
        assert partition_of(make_asset_id("acc_1")) == partition_of("acc_1")
