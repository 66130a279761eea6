from engine.executions.batches import (
    BatchCounts,
    BatchStatus,
    ItemStatus,
    parse_item_status,
)


def test_counts_are_those_of_the_codes() -> None:
    counts = BatchCounts.of("qqpccccfx")

    assert counts == BatchCounts(queued=2, processing=1, completed=4, failed=1, cancelled=1)
    assert BatchCounts.of("") == BatchCounts()


def test_each_status_has_a_code_of_its_own_and_a_later_one_goes_on() -> None:
    assert {parse_item_status(each.code) for each in ItemStatus} == set(ItemStatus)
    assert parse_item_status("z") is ItemStatus.PROCESSING
    assert BatchCounts.of("zp") == BatchCounts(processing=2)


def test_a_batch_that_is_cancelling_goes_on() -> None:
    assert [each for each in BatchStatus if each.is_over] == ["completed", "cancelled"]
    assert BatchStatus.CANCELLING.shown is BatchStatus.PROCESSING
    assert BatchStatus.CANCELLED.shown is BatchStatus.CANCELLED
