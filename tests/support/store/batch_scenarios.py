"""Effective calls of the scripts of batches."""

from tests.support.store.scenario import NOW, Value, scenario

BATCH: tuple[Value, ...] = (
    *("HSET", "batch", "status", "processing", "slug", "echo", "version", 1, "size", 4),
    *("states", "cpqq", "concurrency", 2, "created", NOW, "key", "key_1"),
)
ITEMS = ("HSET", "account_items", "queued", 2, "active", 1)

BATCH_SCENARIOS = {
    "add_batch": scenario(
        id="b", account="acc", size=3, most_queued=10, fields=("slug", "echo", "c0", b"items")
    ),
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
