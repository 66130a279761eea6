import uuid

from engine.ids import tokens
from engine.ids.executions import is_execution_id
from engine.ids.partitions import partition_of
from engine.ids.triggers import (
    due_occurrence_id,
    is_hook_token,
    is_trigger_id,
    make_hook_token,
    new_occurrence_id,
    new_trigger_id,
    occurrence_execution_id,
)


def test_ids_have_their_format() -> None:
    assert is_trigger_id(new_trigger_id())
    assert new_trigger_id() != new_trigger_id()
    for wrong in ("trg_", "trg_12345678901g", "trg_123456789012.next", "key_123456789012", 5, None):
        assert not is_trigger_id(wrong)


def test_a_due_time_has_one_id_and_one_execution() -> None:
    first = due_occurrence_id("trg_a", 60_000)

    assert first == due_occurrence_id("trg_a", 60_000)
    assert uuid.UUID(first).version == 5
    others = {due_occurrence_id("trg_a", 60_001), due_occurrence_id("trg_b", 60_000)}
    assert first not in others and len(others) == 2
    assert is_execution_id(occurrence_execution_id(first))
    assert occurrence_execution_id(first) == occurrence_execution_id(first) != first
    assert new_occurrence_id() != new_occurrence_id()


def test_a_token_is_in_the_partition_of_its_account() -> None:
    for account_id in ("acc_1", "acc_2", "acc_3"):
        token = make_hook_token(account_id)
        assert is_hook_token(token) and len(token) == 43
        assert tokens.partition_of(tokens.digest(token)) == partition_of(account_id)


def test_other_texts_are_no_tokens() -> None:
    token = make_hook_token("acc_1")
    for wrong in ("", token[:-1], token + "a", token[:-1] + "/", token + "\n", "é" * 43):
        assert not is_hook_token(wrong)
