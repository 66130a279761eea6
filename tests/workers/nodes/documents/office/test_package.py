"""Parts of Office documents: inflated within a limit, and XML without a DTD."""

import pytest

from engine.errors.nodes import NodeFailed
from engine.nodes.support.documents import DocumentOptions
from tests.support.documents.office_files import docx, zipped
from workers.nodes.documents.office import package
from workers.nodes.documents.office.docx import read_docx
from workers.nodes.documents.office.package import Package

LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>'
OUTSIDE = '<!DOCTYPE x SYSTEM "http://a.example/x.dtd"><x/>'


def fail(data: bytes) -> str:
    with pytest.raises(NodeFailed) as caught:
        read_docx(data, DocumentOptions())
    assert caught.value.code == "document_unreadable"
    return caught.value.message


def test_no_more_is_inflated_than_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "MAX_INFLATED_BYTES", 1 << 20)
    large = docx(f"<w:p><w:r><w:t>{'a' * (1 << 21)}</w:t></w:r></w:p>")

    assert len(large) < 1 << 15
    assert fail(large) == "The document unpacks to more than 1 MB"


@pytest.mark.parametrize("xml", [LAUGHS, OUTSIDE])
def test_a_dtd_is_refused(xml: str) -> None:
    assert "DTD" in fail(zipped({"word/document.xml": xml}))


def test_a_file_with_a_password_is_not_called_broken() -> None:
    assert "encrypted" in fail(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504))


def test_broken_documents_tell_why() -> None:
    whole = docx("<w:p/>")

    assert "parts cannot be read" in fail(whole[:-30])
    assert "lacks the part word/document.xml" in fail(zipped({"word/other.xml": ""}))
    assert "XML cannot be read" in fail(zipped({"word/document.xml": "<a><b></a>"}))
    assert "nested too deep" in fail(docx("<w:p>" * 600 + "</w:p>" * 600))


def test_a_part_that_was_changed_is_broken() -> None:
    whole = bytearray(docx(f"<w:p><w:r><w:t>{'abc' * 50}</w:t></w:r></w:p>"))
    at = whole.index(b"word/document.xml") + 40
    whole[at] ^= 0xFF

    assert "broken" in fail(bytes(whole))


def test_elements_come_one_by_one_without_namespaces() -> None:
    made = Package(zipped({"x.xml": '<r xmlns:a="u"><a:i n="1"><i n="2"/></a:i><i n="3"/></r>'}))

    assert [each.get("n") for each in made.elements("x.xml", "i")] == ["1", "3"]
