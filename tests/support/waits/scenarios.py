"""Effective calls of the scripts of waits."""

from tests.support.store.scenario import NOW, Value, scenario

EXECUTION: tuple[Value, ...] = (
    *("HSET", "execution", "status", "processing", "statuses", "cr", "created", NOW),
    *("n1", f"1:1:{NOW}:0"),
)
CHILD: tuple[tuple[Value, ...], ...] = (
    EXECUTION,
    ("HSET", "execution", "statuses", "cw", "waits", f",1:a:{NOW + 60_000},"),
    ("HSET", "execution", "q1", f"{NOW - 9}:{NOW + 60_000}:a:fail:ask\n".encode() + b"\x80"),
    ("HSET", "root", "status", "processing", "waits", ","),
    ("HSET", "parent", "status", "processing"),
    ("HSET", "group", "status", "open"),
    ("HSET", "waits", "x", 1),
    ("ZADD", "approvals", NOW - 9, "x/1"),
    ("ZADD", "child_waits", NOW - 9, "x/1"),
)

WAIT_SCENARIOS = {
    "open_wait": scenario(
        EXECUTION,
        ("HSET", "execution", "events", 0),
        ("HSET", "root", "status", "processing", "statuses", "w", "events", 3),
        ("HSET", "root", "webhook_events", "execution.waiting", "webhook_owner", "run:r"),
        ("HSET", "root", "webhook_url", "u", "delivery_keep_ms", 60_000),
        ("HSET", "root", "delivery_resend_ms", 2_000),
        ("HSET", "run_webhook", "enabled", "1", "pending", 0),
        ("SET", "first_call", "x", "PX", 60_000),
        root="root",
        root_events="root_events",
        delivery="delivery",
        deliveries_due="deliveries_due",
        webhook_deliveries="webhook_deliveries",
        account_deliveries="account_deliveries",
        run_deliveries="run_deliveries",
        run_webhook="run_webhook",
        reference="acc/r",
        change_ms=60_000,
        most_changes=10,
        child_waits="child_waits",
        first_call="first_call",
        execution_id="x",
        node=1,
        kind="a",
        duration_ms=60_000,
        most_waiting=10,
        facts="a:fail:ask",
        values=b"\x80",
    ),
    "end_wait": scenario(
        *CHILD,
        root="root",
        child_waits="child_waits",
        parent="parent",
        group="group",
        reference="acc/x",
        execution_id="x",
        node=1,
        facts="approve:key:key_1",
        values=b"\x80",
        act=(60_000, "acc", "approval.approve", "x/ask", b"null", b"{}"),
        again=[b"over", f"{NOW}:approve:key:key_1\n".encode() + b"\x80"],
    ),
}
"""Scenarios: effective calls of scripts, each on keys that its seed has written."""
