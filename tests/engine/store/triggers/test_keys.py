from engine.ids.partitions import partition_of
from engine.store.triggers import keys
from engine.triggers.occurrences import OccurrenceStatus


def test_all_keys_of_an_account_lie_in_its_partition() -> None:
    tag = f"{{hr{partition_of('acc_1'):02d}}}:"
    own = [
        keys.triggers("acc_1"),
        keys.open_schedules("acc_1"),
        keys.schedules_due(partition_of("acc_1")),
        keys.hooks(partition_of("acc_1")),
        keys.event("acc_1", "trg_1", "d"),
        keys.event_bodies("acc_1"),
        keys.event_times("acc_1"),
        keys.unarchived_occurrences(partition_of("acc_1")),
        keys.archived_occurrences(partition_of("acc_1")),
        *keys.occurrence_keys("acc_1", "trg_1"),
    ]

    assert all(each.startswith(tag) for each in own)
    assert len(set(own)) == len(own)


def test_each_status_has_a_list_of_occurrences() -> None:
    lists = keys.occurrence_keys("acc_1", "trg_1")[1:]

    assert lists == [keys.occurrences_by_time("acc_1", "trg_1", s.code) for s in OccurrenceStatus]
