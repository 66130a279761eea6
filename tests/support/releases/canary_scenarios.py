"""Effective calls of the scripts of canaries that are counted."""

from tests.support.store.scenario import NOW, scenario

CANARY = b'{"live":{"version":3,"canary":{"id":"a","version":4,"percent":5},"updatedAt":1}}'

CANARY_SCENARIOS = {
    "roll_back_canary": scenario(
        ("HSET", "workflow", "version", 3, "state", "live", "aliases", CANARY),
        ("HSET", "workflow", "aliases_revision", 6),
        again=b"",
        reference="acc/echo",
        name="live",
        canary_id="a",
        reason="Too many runs failed",
        told=b"{}",
        body=b"{}",
        keep_ms=60_000,
        resend_ms=2_000,
        format=2,
        change="canary:echo/a",
        change_ms=60_000,
        most_changes=10,
        deliveries=("delivery:d", "list"),
        receivers=("key_1", "u"),
    ),
    "settle_canaries": scenario(
        ("HSET", "canary_counts", "a:c:35", 2, "b:c:35", 1, "b:over", 1),
        ("ZADD", "open_canaries", NOW, "echo"),
        slug="echo",
        look=NOW,
        at=NOW,
        next=NOW + 60_000,
        ended=("a:over",),
        gone=("b:c:35", "b:over"),
    ),
}
