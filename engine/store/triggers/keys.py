"""Redis keys of triggers and their occurrences."""

from typing import Self

from msgspec import Struct

from engine.ids.partitions import partition_of
from engine.store.redis.keyspace import account_tag, partition_tag
from engine.triggers.occurrences import OccurrenceStatus


def triggers(account_id: str) -> str:
    """Hash: all triggers of an account.

    `<id>` is the packed settings of a trigger. Beside it stand, each after `<id>.`: `enabled` (1 or
    0), `revision`, `key` (API key that made it), `created`, `updated`, `since`, `next` (due time),
    `held` (due time that waits), `last` (id and record of the newest occurrence), `last_run` (its
    execution), `skipped` (number of skipped events), and of an inbound webhook `token` (sealed),
    `hook` (digest of the token) and `secret` (name of the secret that verifies events); `forgotten`
    is the newest time of the occurrences that only the history has, and `pins` is the slug and the
    version of a trigger that runs one version, with `@` between.
    """
    return f"{account_tag(account_id)}:account:{account_id}:triggers"


def open_schedules(account_id: str) -> str:
    """Sorted set: id of an enabled schedule by the time in milliseconds of the next look at it."""
    return f"{account_tag(account_id)}:account:{account_id}:open_schedules"


def schedules_due(partition: int) -> str:
    """Sorted set: account id by the time in milliseconds of the next look at its schedules."""
    return f"{partition_tag(partition)}:schedules_due"


def hooks(partition: int) -> str:
    """Hash: digest of the token of an inbound webhook → account/trigger."""
    return f"{partition_tag(partition)}:hooks"


def occurrences(account_id: str, trigger_id: str) -> str:
    """Hash: id of an occurrence → its record, as `engine/triggers/occurrences.py` has it."""
    return f"{account_tag(account_id)}:occurrences:{account_id}:{trigger_id}"


def occurrences_by_time(account_id: str, trigger_id: str, status_code: str) -> str:
    """Sorted set: ids of the occurrences of one status by their time `at` in milliseconds."""
    return f"{account_tag(account_id)}:occurrences_{status_code}:{account_id}:{trigger_id}"


def unarchived_occurrences(partition: int) -> str:
    """Sorted set: account/trigger/occurrence that is not in the history yet, by its write.

    It is the outbox between an occurrence and the history; skipped events never stand in it.
    """
    return f"{partition_tag(partition)}:unarchived_occurrences"


def archived_occurrences(partition: int) -> str:
    """Sorted set: account/trigger/occurrence that the history has, by the time of its archiving."""
    return f"{partition_tag(partition)}:archived_occurrences"


def event(account_id: str, trigger_id: str, digest: str) -> str:
    """String: execution that an event with an id has started, with an expiry.

    `digest` is that of the id.
    """
    return f"{account_tag(account_id)}:event:{account_id}:{trigger_id}:{digest}"


def event_bodies(account_id: str) -> str:
    """Hash: trigger/occurrence → packed event that started no run, with an expiry."""
    return f"{account_tag(account_id)}:account:{account_id}:event_bodies"


def event_times(account_id: str) -> str:
    """Sorted set: trigger/occurrence of these events by the time in milliseconds of their write."""
    return f"{account_tag(account_id)}:account:{account_id}:event_times"


def occurrence_reference(account_id: str, trigger_id: str, occurrence_id: str) -> str:
    """Return the name of an occurrence in sets."""
    return f"{account_id}/{trigger_id}/{occurrence_id}"


def occurrence_keys(account_id: str, trigger_id: str) -> list[str]:
    """Return the keys with the occurrences of a trigger."""
    return [
        occurrences(account_id, trigger_id),
        *(occurrences_by_time(account_id, trigger_id, each.code) for each in OccurrenceStatus),
    ]


class TriggerKeys(Struct, frozen=True):
    """Keys with which a script moves a trigger, by their names in scripts."""

    triggers: str | None
    open_schedules: str | None
    schedules_due: str | None

    @classmethod
    def of(cls, account_id: str) -> Self:
        """Return the keys of an account's triggers."""
        return cls(
            triggers(account_id),
            open_schedules(account_id),
            schedules_due(partition_of(account_id)),
        )
