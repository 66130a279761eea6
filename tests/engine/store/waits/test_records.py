"""Waits stand on the record as a line of facts with packed values."""

from engine.executions.node_waits import (
    Answer,
    Answerer,
    AnswererKind,
    Decision,
    NewWait,
    OnTimeout,
    WaitKind,
)
from engine.store.waits.records import (
    end_facts,
    kept_waits,
    pack_answer,
    pack_wait,
    parse_wait,
    parse_waits,
    wait_facts,
)

ODD_ID = "a:b\nc/é"
NEW = NewWait(
    kind=WaitKind.APPROVAL,
    duration_ms=1,
    title="Title\n:",
    message="Text",
    fields=({"name": "a"},),
    on_timeout=OnTimeout.REFUSE,
)
ANSWER = Answer(
    decision=Decision.REFUSE,
    fields={"a": [1, None]},
    note="No:\nnever",
    by=Answerer(AnswererKind.KEY, "key_1"),
    at=30,
)
WAIT = f"10:20:{wait_facts(ODD_ID, NEW)}\n".encode() + pack_wait(NEW)
END = f"30:{end_facts(ANSWER)}\n".encode() + pack_answer(ANSWER)
RECORD = {"status": b"processing", "slug": b"echo", "waits": b",2:a:20,"}


def test_a_wait_is_read_as_it_was_written() -> None:
    found = parse_wait("acc", "x", {**RECORD, "q2": WAIT, "a2": END}, 2)

    assert found is not None
    assert (found.node_id, found.since, found.until) == (ODD_ID, 10, 20)
    assert (found.title, found.message, found.fields) == (NEW.title, NEW.message, NEW.fields)
    assert (found.on_timeout, found.answer, found.over_at) == (OnTimeout.REFUSE, ANSWER, None)
    assert (found.root_id, found.is_open, found.has_values) == ("x", False, True)


def test_an_end_without_an_answer_has_its_time_alone() -> None:
    delay = NewWait(kind=WaitKind.DELAY, until=20)
    wait = f"10:20:{wait_facts('later', delay)}\n".encode() + pack_wait(delay)
    end = f"21:{end_facts(None)}\n".encode()

    found = parse_wait("acc", "x", {**RECORD, "q0": wait, "a0": end}, 0)

    assert found is not None
    assert (found.answer, found.over_at, found.is_open) == (None, 21, False)


def test_without_its_values_a_wait_and_its_answer_keep_their_facts() -> None:
    bare = {name: each.partition(b"\n")[0] for name, each in (("q2", WAIT), ("a2", END))}

    found = parse_wait("acc", "x", {**RECORD, **bare}, 2)

    assert found is not None
    assert (found.title, found.fields, found.has_values) == ("", (), False)
    assert found.answer == Answer(
        decision=Decision.REFUSE, fields={}, note=None, by=ANSWER.by, at=30
    )


def test_all_waits_of_a_record_are_found() -> None:
    record = {**RECORD, "root": b"r", "q10": WAIT, "q2": WAIT, "a2": END, "q": b"", "qx": b""}

    found = parse_waits("acc", "x", record)

    assert [(each.node_index, each.is_open, each.root_id) for each in found] == [
        (2, False, "r"),
        (10, True, "r"),
    ]
    assert parse_waits("acc", "x", {"status": b"processing", "q2": WAIT}) == ()


def test_a_retry_keeps_answers_of_persons_and_delays_that_were_over() -> None:
    delay = NewWait(kind=WaitKind.DELAY, until=20)
    over = f"10:20:{wait_facts('later', delay)}\n".encode() + pack_wait(delay)
    by_clock = END.replace(b":key:key_1", b":timeout:")
    record = {
        **RECORD,
        "q0": WAIT,
        "a0": END,
        "q1": WAIT,
        "a1": by_clock,
        "q2": WAIT,
        "a2": b"30:::\n",
        "q3": over,
        "a3": b"30:::\n",
        "q4": over,
        "q5": WAIT,
        "a5": END,
    }

    kept = kept_waits(record, range(5))

    assert kept == {"q0": WAIT, "a0": END, "q3": over, "a3": b"30:::\n", "waits": b","}
    assert kept_waits(record, [1, 2, 4]) == {}
