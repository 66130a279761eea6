"""Documents at URLs: assets by their record, others by the answer."""

from dataclasses import dataclass, field

import pytest

from engine.errors.nodes import NodeFailed
from engine.media.documents.types import CSV, DOCX, OFFICE, PDF, XLSX
from engine.nodes.support.base import HttpAnswer, HttpCall
from tests.support.documents.samples import archive, samples
from tests.support.http.providers import Kept
from workers.nodes.documents.fetching import DocumentSource

OURS, THEIRS = "https://own.example/media/1", "https://a.example/x.csv"


@dataclass
class Answers:
    """Answers each call with one file, in pieces."""

    answer: HttpAnswer
    pieces: list[bytes] = field(default_factory=list)
    taken: int = 0

    async def fetch(self, call: HttpCall) -> HttpAnswer:
        if call.consume is None:
            return HttpAnswer(
                status=self.answer.status,
                headers=self.answer.headers,
                body=b"".join(self.pieces),
            )
        await call.consume(self.answer, self._pieces())
        return self.answer

    async def _pieces(self):  # type: ignore[no-untyped-def]
        for piece in self.pieces:
            self.taken += 1
            yield piece


def source(answers: Answers | None = None, types: dict[str, str] | None = None) -> DocumentSource:
    store = Kept(own={("u1", OURS): b"a;b"}, types=types or {})
    fetcher = answers or answering()
    return DocumentSource(media_store=store, fetcher=fetcher, account_id="u1")


def answering(*pieces: bytes, status: int = 200, content_type: str = "text/plain") -> Answers:
    answer = HttpAnswer(status=status, headers={"content-type": content_type}, body=b"")
    return Answers(answer, list(pieces))


async def test_an_asset_has_the_type_on_record() -> None:
    mine = source(types={OURS: CSV})

    assert await mine.find_type(OURS) == CSV
    assert await mine.fetch(OURS) == (CSV, b"a;b")


async def test_an_asset_that_is_no_document_is_refused() -> None:
    with pytest.raises(NodeFailed, match="no document") as caught:
        await source(types={OURS: "image/png"}).find_type(OURS)

    assert caught.value.code == "document_unreadable"


async def test_other_urls_have_the_type_of_their_answer() -> None:
    assert await source(answering(b"a", b",b")).find_type(THEIRS) == CSV
    assert await source(answering(b"a", b",b")).fetch(THEIRS) == (CSV, b"a,b")


@pytest.mark.parametrize("kind", sorted(OFFICE))
@pytest.mark.parametrize("told", ["application/octet-stream", "application/zip", XLSX])
async def test_an_office_document_is_known_by_its_content_whatever_is_told_of_it(
    kind: str, told: str
) -> None:
    data = samples()[kind]

    found = await source(answering(data, content_type=told)).fetch("https://a.example/get")

    assert found == (kind, data)


async def test_the_end_of_a_file_tells_its_type_where_nothing_else_does() -> None:
    told = "application/octet-stream"
    whole = answering(samples()[DOCX], content_type=told)
    other = answering(archive(["a.txt"]), content_type=told)

    assert await source(whole).find_type("https://a.example/get") == DOCX
    with pytest.raises(NodeFailed, match="no document"):
        await source(other).find_type("https://a.example/get")


async def test_the_type_needs_the_start_of_an_answer_alone() -> None:
    answers = answering(b"%PDF-1.7" + bytes(2_000), *[bytes(2_000)] * 50)

    assert await source(answers).find_type(THEIRS) == PDF
    assert answers.taken == 1


@pytest.mark.parametrize(("status", "is_retryable"), [(404, False), (503, True)])
async def test_the_status_of_a_failed_answer_is_told(status: int, is_retryable: bool) -> None:
    for call in (
        source(answering(status=status)).find_type,
        source(answering(status=status)).fetch,
    ):
        with pytest.raises(NodeFailed, match=str(status)) as caught:
            await call(THEIRS)
        assert caught.value.code == "http_status"
        assert caught.value.retryable is is_retryable


async def test_a_document_that_is_too_large_is_unreadable() -> None:
    class Endless(Answers):
        async def fetch(self, call: HttpCall) -> HttpAnswer:
            raise NodeFailed("response_too_large", f"More than {call.max_bytes} bytes")

    with pytest.raises(NodeFailed, match="larger than 104857600 bytes") as caught:
        await source(Endless(answering().answer)).fetch(THEIRS)

    assert caught.value.code == "document_unreadable"
