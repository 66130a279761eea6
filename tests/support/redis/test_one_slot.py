"""A script call over two slots fails in every test."""

import pytest

from engine.store.redis import keyspace
from engine.store.redis.scripts import SCRIPTS
from tests.support.redis.one_slot import SeveralSlots


def test_keys_of_two_partitions_are_refused() -> None:
    script = SCRIPTS["count_session_call"]
    others = {each.name: "" for each in script.names.arguments}
    keys = {"session": keyspace.session(1, "d"), "accounts": keyspace.accounts(1)}

    script.words(**keys, windows=keyspace.windows(1), **others)
    with pytest.raises(SeveralSlots):
        script.words(**keys, windows=keyspace.windows(2), **others)
