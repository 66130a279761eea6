"""Partitions of accounts: stable for good, and evenly used."""

from collections import Counter

import pytest

from engine.ids.partitions import PARTITIONS, partition_of


@pytest.mark.parametrize(
    ("account_id", "partition"), [("acc_1", 5), ("acc_2", 15), ("", 0), ("Zoë", 10)]
)
def test_the_partition_of_an_account_never_changes(account_id: str, partition: int) -> None:
    assert partition_of(account_id) == partition


def test_accounts_are_spread_over_all_partitions() -> None:
    counts = Counter(partition_of(f"acc_{number}") for number in range(1_600))

    assert set(counts) == set(range(PARTITIONS))
    assert min(counts.values()) > 50
