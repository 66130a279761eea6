"""Effective calls of the scripts of children."""

from tests.support.store.scenario import NOW, Value, scenario

PARENT: tuple[Value, ...] = (
    *("HSET", "parent", "status", "processing", "statuses", "cr", "created", NOW),
    *("n1", f"1:1:{NOW}:0"),
)
ROOT: tuple[Value, ...] = (
    *("HSET", "root", "status", "processing", "statuses", "r", "children", 3),
    *("children_running", 1, "models", "one"),
)
GROUP: tuple[Value, ...] = (
    *("HSET", "group", "status", "open", "size", 4, "s0", "cpqq", "queued", 2, "running", 1),
    *("concurrency", 2, "on_error", "fail", "node", "each", "created", NOW),
)

CHILD_SCENARIOS = {
    "open_children": scenario(
        PARENT,
        ROOT,
        ("HSET", "workflow", "state", "live", "d1", b"one"),
        workflow="workflow",
        account_id="acc",
        member="p/1",
        node=1,
        size=3,
        most_children=10,
        version=1,
        fields=("slug", "echo", "c0", b"items"),
    ),
    "begin_children": scenario(
        PARENT,
        ROOT,
        GROUP,
        children=("x", "y", "z"),
        resend_ms=5_000,
        most_running=200,
        models="one,two",
        shared=("slug", "echo"),
        own=(1, "acc/x", "pp", 0, 2, "acc/y", "pp", 2, "inputs", b"\x80", 3, "acc/z", "pp", 0),
    ),
    "finish_children": scenario(
        PARENT,
        ROOT,
        ("HSET", "parent", "statuses", "cw", "n1", f"0:0:{NOW}:0"),
        GROUP,
        ("HSET", "group", "s0", "cfqq", "running", 0),
        children=("x", "y", "z"),
        account_id="acc",
        parent_id="p",
        node=1,
        most_bytes=100,
        shared=("slug", "echo"),
        results=(b"one", b"two", b"three"),
        sizes=(1, 2, 3),
        own=(
            *(1, "acc/x", 2, "statuses", "cc", 2, "acc/y", 2, "statuses", "cc"),
            *(3, "acc/z", 4, "statuses", "cc", "result", b"\x80"),
        ),
        again=[b"ended"],
    ),
    "feed_children": scenario(
        PARENT,
        ROOT,
        GROUP,
        account_id="acc",
        member="p/1",
        token="mine",
        lease_ms=3_000,
        most=50,
        most_running=200,
        look_ms=2_000,
        waiting_look_ms=60_000,
    ),
    "fail_child": scenario(
        PARENT,
        ROOT,
        GROUP,
        ("HSET", "parent", "statuses", "cw", "n1", f"0:0:{NOW}:0"),
        account_id="acc",
        parent_id="p",
        node=1,
        child=2,
        error=b"packed",
        again=[b"begun"],
    ),
    "cancel_children": scenario(GROUP, account_id="acc", member="p/1"),
}
