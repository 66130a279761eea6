"""All documents of the corpus."""

from collections.abc import Iterator

from tests.support.documents.corpus.document import CorpusDocument
from tests.support.documents.corpus.office import every_office_document
from tests.support.documents.corpus.pdfs import every_pdf
from tests.support.documents.corpus.texts import every_text


def every_document() -> Iterator[CorpusDocument]:
    """Yield the documents, by their type."""
    yield from every_pdf()
    yield from every_office_document()
    yield from every_text()
