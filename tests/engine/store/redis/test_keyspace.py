import inspect
import re
from collections import Counter

import pytest

from engine.ids import partitions
from engine.ids.partitions import partition_of
from engine.store.redis import batch_keys, channels, keyspace, process_keys, provider_keys

ARGUMENTS = {
    "partition": 3,
    "account_id": "acc_1",
    "slug": "echo",
    "execution_id": "e1",
    "worker_id": "w1",
    "queue": "walk",
    "gateway_id": "g1",
}
NOT_KEYS = {"account_tag", "asset_reference", "listed", "partition_tag", "reference"}
KEYS = {
    name: function
    for module in (batch_keys, channels, keyspace, process_keys, provider_keys)
    for name, function in inspect.getmembers(module, inspect.isfunction)
    if name[0] != "_" and name not in NOT_KEYS and function.__annotations__["return"] is str
}


def made(name: str, **changes: object) -> str:
    wanted = inspect.signature(KEYS[name]).parameters
    key: str = KEYS[name](**{each: (ARGUMENTS | changes).get(each, f"<{each}>") for each in wanted})
    return key


def test_no_two_functions_give_one_key() -> None:
    keys = [made(name) for name in KEYS]

    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("name", sorted(KEYS))
def test_a_keys_docstring_describes_its_content(name: str) -> None:
    doc = KEYS[name].__doc__ or ""

    assert re.match(r"(Hash|Set|Sorted set|List|Stream|String|Channel): ", doc)


@pytest.mark.parametrize("account_id", ["acc_1", "acc_2", "{x}", "a:b", "ü"])
def test_all_keys_of_an_account_and_its_partition_share_a_slot(account_id: str) -> None:
    partition = partition_of(account_id)
    keys = [
        made(name, account_id=account_id, partition=partition)
        for name, function in KEYS.items()
        if {"account_id", "partition"} & set(inspect.signature(function).parameters)
    ]

    tags = {re.match(r"\{([^}]+)\}", key)[1] for key in keys if re.match(r"\{([^}]+)\}", key)}

    assert len(keys) >= 9
    assert all(key.startswith("{hr") for key in keys)
    assert tags == {f"hr{partition:02d}"}


def test_a_partition_is_for_good() -> None:
    assert [partition_of(f"acc_{n}") for n in range(4)] == [3, 5, 15, 9]


def test_accounts_spread_evenly() -> None:
    found = Counter(partition_of(f"acc_{n}") for n in range(16_000))

    assert set(found) == set(partitions.every())
    assert max(found.values()) < 1_250


def test_a_reference_names_account_and_execution() -> None:
    reference = keyspace.reference("acc_1", "e1")

    assert keyspace.parse_reference(reference) == ("acc_1", "e1")


@pytest.mark.parametrize("text", ["", "/", "a/", "/b", "ab"])
def test_a_malformed_reference_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        keyspace.parse_reference(text)
