"""Books on record: packed and opened again, and searched by digest."""

from engine.executions.node_waits import Answer, Answerer, AnswererKind, Decision
from engine.services.replays.books import (
    Book,
    OpenBook,
    RecordedAnswer,
    RecordedOutcome,
    pack_book,
    unpack_book,
)
from engine.store.redis.record_packing import pack
from engine.store.waits.records import end_facts, pack_answer

FIELDS = [{"name": "reason", "type": "text"}]


def approval(node_id: str, digest: bytes, decision: Decision) -> RecordedAnswer:
    answer = Answer(
        decision=decision, fields={"reason": "x"}, note=None, by=Answerer(AnswererKind.KEY, "k")
    )
    wait = f"1:2:a:fail:{node_id}\n".encode() + pack(["Title", "Text", FIELDS])
    end = f"3:{end_facts(answer)}\n".encode() + pack_answer(answer)
    return RecordedAnswer(digest, node_id, wait, end)


def test_a_book_is_the_same_after_it_was_on_record() -> None:
    book = Book(
        outcomes=(
            RecordedOutcome(b"\x001", "a", ("text-out",), pack({"text-out": "x"})),
            RecordedOutcome(b"\x002", "b", (), "seed-1.1.300000"),
            RecordedOutcome(b"\x003", "c", (), None, {"code": "timeout", "message": "Too late"}),
        ),
        answers=(approval("ask", b"\x004", Decision.REFUSE),),
    )

    assert unpack_book(pack_book(book)) == book


def test_the_outcome_of_the_same_node_comes_first() -> None:
    outcomes = [RecordedOutcome(b"1", name, ()) for name in ("a", "b")]
    book = OpenBook(Book(outcomes=(*outcomes, RecordedOutcome(b"2", "b", ()))))

    assert [each.node_id for each in book.find_outcomes(b"1", "b")] == ["b", "a"]
    assert [each.node_id for each in book.find_outcomes(b"1", "new")] == ["a", "b"]
    assert list(book.find_outcomes(b"3", "a")) == []


def test_a_failure_has_code_and_message() -> None:
    error = {"code": "timeout", "message": "Too late"}
    failure = RecordedOutcome(b"1", "a", (), None, error).failure

    assert failure is not None
    assert (failure.code, failure.message, failure.retryable) == ("timeout", "Too late", False)
    assert RecordedOutcome(b"1", "a", ()).failure is None


def test_an_answer_is_found_by_inputs_and_else_where_there_is_one() -> None:
    answers = (approval("ask", b"1", Decision.REFUSE), approval("ask", b"2", Decision.APPROVE))
    two, one = OpenBook(Book(answers=answers)), OpenBook(Book(answers=answers[:1]))

    found = two.find_answer(b"2", "ask", FIELDS)

    assert found is not None and found.answer is not None
    assert found.answer.decision is Decision.APPROVE
    assert two.find_answer(b"3", "ask", FIELDS) is None
    assert one.find_answer(b"3", "ask", FIELDS) is not None
    assert one.find_answer(b"1", "ask", []) is None
    assert one.find_answer(b"1", "other", FIELDS) is None
