from engine.executions.node_waits import NodeWait, WaitKind
from engine.webhooks.wait_entries import wait_entry

FORM = ({"name": "where", "type": "text"},)
ASKED = NodeWait(
    account_id="acc",
    execution_id="x",
    root_id="r",
    node_index=2,
    node_id="ask",
    kind=WaitKind.APPROVAL,
    since=1_000,
    until=61_000,
    title="Post it?",
    message="A text",
    fields=FORM,
)
TIMES = {"since": "1970-01-01T00:00:01.000Z", "until": "1970-01-01T00:01:01.000Z"}


def test_an_entry_has_what_is_asked_and_names_a_child() -> None:
    own = {"nodeId": "ask", "kind": "approval", **TIMES}
    asked = {"title": "Post it?", "message": "A text", "fields": list(FORM)}

    assert wait_entry(ASKED, "x") == own | asked
    assert wait_entry(ASKED, "r") == own | asked | {"executionId": "x"}


def test_delays_and_waits_without_values_ask_for_nothing() -> None:
    gone = NodeWait(
        account_id="acc",
        execution_id="x",
        root_id="x",
        node_index=2,
        node_id="ask",
        kind=WaitKind.APPROVAL,
        since=1_000,
        until=61_000,
        has_values=False,
    )
    delay = NodeWait(
        account_id="acc",
        execution_id="x",
        root_id="x",
        node_index=1,
        node_id="later",
        kind=WaitKind.DELAY,
        since=1_000,
        until=61_000,
    )

    assert wait_entry(gone, "x") == {"nodeId": "ask", "kind": "approval", **TIMES}
    assert wait_entry(delay, "x") == {"nodeId": "later", "kind": "delay", **TIMES}
