"""Effective calls of the scripts of batches."""

from tests.support.store.scenario import NOW, Value, scenario

BATCH: tuple[Value, ...] = (
    *("HSET", "batch", "status", "processing", "slug", "echo", "version", 1, "size", 4),
    *("states", "cpqq", "concurrency", 2, "created", NOW, "key", "key_1"),
)
ITEMS = ("HSET", "account_items", "queued", 2, "active", 1)

BATCH_SCENARIOS = {
    "add_batch": scenario(
        ("HSET", "workflow", "state", "live", "d1", b"one"),
        id="b",
        account_id="acc",
        size=3,
        most_queued=10,
        version=1,
        workflow="workflow",
        fields=("slug", "echo", "c0", b"items"),
    ),
    "feed_batch": scenario(
        BATCH, ITEMS, id="b", account_id="acc", token="t", lease_ms=3_000, most=5, look_ms=2_000
    ),
    "release_feed": scenario(
        ("HSET", "list", "status", "processing", "feeder", "t", "feeder_until", NOW + 1),
        account_id="acc",
        member="b",
        token="t",
        pause_ms=1_000,
        again=0,
    ),
    "fail_item": scenario(BATCH, ITEMS, id="b", account_id="acc", item=2, error=b"packed", again=0),
    "cancel_batch": scenario(BATCH, ITEMS, id="b", account_id="acc"),
    "settle_batch": scenario(
        ("HSET", "batch", "status", "completed", "completed", NOW),
        ("ZADD", "open_batches", NOW, "b"),
        id="b",
        account_id="acc",
    ),
    "schedule_account": scenario(("ZADD", "lists", NOW, "b"), account_id="acc", earliest=NOW + 9),
    "record_verdicts": scenario(BATCH, has_objects="1", verdicts=(1, "s", b"same")),
    "remove_ended_batch": scenario(
        BATCH,
        ("HSET", "batch", "completed", NOW),
        ("ZADD", "listed", NOW, "acc/b"),
        ("ZADD", "batches", NOW, "b"),
        again=0,
        id="b",
        reference="acc/b",
    ),
    "restore_archived_batch": scenario(
        id="b",
        reference="acc/b",
        created=NOW,
        fields=("status", "completed", "c0", b"items"),
        again=0,
    ),
}
