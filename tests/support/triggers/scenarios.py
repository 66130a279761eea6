"""Effective calls of the scripts of triggers."""

from tests.support.store.scenario import NOW, Value, scenario

ACT = (60_000, "acc", "trigger.change", "trg_1", b"null", b'{"name":"Digest"}')
SCHEDULE: tuple[Value, ...] = (
    *("HSET", "triggers", "trg_1", b"settings", "trg_1.enabled", 1, "trg_1.revision", 1),
    *("trg_1.next", NOW + 60_000, "trg_1.since", NOW, "trg_1.key", "key_1"),
    *("trg_1.created", NOW, "trg_1.updated", NOW),
)
HOOK: tuple[Value, ...] = (
    *("HSET", "triggers", "trg_2", b"settings", "trg_2.enabled", 1, "trg_2.revision", 1),
    *("trg_2.token", b"sealed", "trg_2.hook", "digest", "trg_2.secret", "SIGNING"),
    *("trg_2.created", NOW, "trg_2.updated", NOW, "trg_2.since", NOW),
)
OPEN = ("ZADD", "open_schedules", NOW + 60_000, "trg_1")

TRIGGER_SCENARIOS = {
    "save_trigger": scenario(
        account_id="acc",
        id="trg_1",
        revision=0,
        settings=b"settings",
        enabled=1,
        since=NOW,
        next=NOW + 60_000,
        most=100,
        act=ACT,
    ),
    "delete_trigger": scenario(
        SCHEDULE,
        OPEN,
        ("HSET", "occurrences", "o", f"s,{NOW},,"),
        ("HSET", "event_bodies", "trg_1/o", b"body"),
        ("ZADD", "event_times", NOW, "trg_1/o"),
        occurrences=("occurrences",),
        id="trg_1",
        act=ACT,
        again=0,
    ),
    "forget_occurrences": scenario(
        SCHEDULE,
        ("HSET", "occurrences", "o", f"s,{NOW},,"),
        ("ZADD", "started", NOW, "o"),
        ("ZADD", "listed", NOW, "acc/trg_1/o"),
        by_time=("started",),
        id="trg_1",
        prefix="acc/trg_1/",
        ids=("o",),
        again=0,
    ),
    "rotate_hook": scenario(
        HOOK,
        ("HSET", "hooks", "digest", "acc/trg_2"),
        account_id="acc",
        id="trg_2",
        token=b"other",
        hook="other digest",
        act=ACT,
    ),
    "record_occurrences": scenario(
        SCHEDULE,
        OPEN,
        ("HSET", "triggers", "trg_1.held", NOW + 60_000),
        account_id="acc",
        trigger="trg_1",
        revision=1,
        at=NOW + 60_000,
        next=NOW + 120_000,
        most_skipped=100,
        most_bodies=100,
        body_ms=60_000,
        new=("o", f"m,{NOW + 60_000},,", ""),
        again=[b"changed"],
    ),
    "hold_occurrence": scenario(
        SCHEDULE,
        OPEN,
        account_id="acc",
        trigger="trg_1",
        revision=1,
        at=NOW + 60_000,
        look_at=NOW + 61_000,
    ),
    "find_hook": scenario(
        HOOK,
        ("HSET", "accounts", "acc", "pro|record"),
        ("HSET", "secrets", "SIGNING", b"sealed"),
        account_id="acc",
        id="trg_2",
        hook="digest",
        bucket="workflows/run",
        window_ms=60_000,
    ),
}
