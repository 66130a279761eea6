"""Parts of an Office document: XML without a DTD, of which no more is inflated than a limit."""

import io
import posixpath
import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping
from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from workers.nodes.documents.limits import MAX_INFLATED_BYTES, unreadable

PIECE_BYTES = 65_536
MAX_DEPTH = 500
"""Of elements within each other."""
COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""Start of what Office writes with a password, and wrote before 2007."""
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError)


class Package:
    """The parts of a document."""

    def __init__(self, data: bytes) -> None:
        if data.startswith(COMPOUND):
            raise unreadable("The document is encrypted, or of the time before DOCX, XLSX and PPTX")
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
            self._names = {info.filename.lstrip("/"): info for info in self._zip.infolist()}
        except BROKEN:
            raise unreadable("The document is broken: its parts cannot be read") from None
        self._left = MAX_INFLATED_BYTES

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def elements(self, name: str, *wanted: str) -> Iterator[Element]:
        """Yield the outermost elements with these local names, each as soon as it ends.

        Names have no namespace; an attribute with the id of a relation is called `r:id`.
        Raises NodeFailed.
        """
        reader = _XmlReader(wanted)
        for piece in self._pieces(name):
            yield from reader.feed(piece)
        yield from reader.feed(b"", is_last=True)

    def relations(self, name: str) -> Mapping[str, str]:
        """Return the targets of a part's relations by id: names of parts, and outer links."""
        folder, _, file = name.rpartition("/")
        listed = f"{folder}/_rels/{file}.rels".lstrip("/")
        if listed not in self:
            return {}
        found = {}
        for each in self.elements(listed, "Relationship"):
            target = each.get("Target", "")
            if each.get("TargetMode") != "External":
                target = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
            found[each.get("Id", "")] = target
        return found

    def main_part(self, usual: str) -> str:
        """Return the name of the part that the document begins with."""
        for each in self.elements("_rels/.rels", "Relationship") if "_rels/.rels" in self else ():
            if each.get("Type", "").endswith("/officeDocument"):
                return each.get("Target", "").lstrip("/")
        return usual

    def _pieces(self, name: str) -> Iterator[bytes]:
        if name not in self:
            raise unreadable(f"The document is broken: it lacks the part {name[:100]}")
        info = self._names[name]
        self._check(info.file_size)  # no part has more bytes than it says
        try:
            with self._zip.open(info) as part:
                while piece := part.read(PIECE_BYTES):
                    self._take(len(piece))
                    yield piece
        except (*BROKEN, RuntimeError) as error:
            reason = "it is encrypted" if "password" in str(error) else "it is broken"
            raise unreadable(f"A part of the document cannot be read: {reason}") from None

    def _take(self, size: int) -> None:
        self._check(size)
        self._left -= size

    def _check(self, size: int) -> None:
        if size > self._left:
            most = MAX_INFLATED_BYTES // 2**20
            raise unreadable(f"The document unpacks to more than {most} MB")


class _XmlReader:
    """Builds the wanted elements of a stream of XML."""

    def __init__(self, wanted: Collection[str]) -> None:
        self._wanted = frozenset(wanted)
        self._parser = parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartDoctypeDeclHandler = _refuse
        parser.EntityDeclHandler = _refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.buffer_text = True
        self._builder = TreeBuilder()
        self._depth = 0
        """Of open elements in the wanted one; 0: none is open."""
        self._done: list[Element] = []

    def feed(self, piece: bytes, *, is_last: bool = False) -> list[Element]:
        """Return the elements that end in a piece. Raises NodeFailed."""
        self._done = []
        try:
            self._parser.Parse(piece, is_last)
        except (expat.ExpatError, ValueError, LookupError):  # of encodings that are none, too
            raise unreadable("The document is broken: its XML cannot be read") from None
        return self._done

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = _local(name)
        if not self._depth and local not in self._wanted:
            return
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise unreadable("The document is broken: its elements are nested too deep")
        self._builder.start(local, {_attribute(key): value for key, value in attributes.items()})

    def _end(self, name: str) -> None:
        if not self._depth:
            return
        self._builder.end(_local(name))
        self._depth -= 1
        if not self._depth:
            self._done.append(self._builder.close())
            self._builder = TreeBuilder()

    def _characters(self, text: str) -> None:
        if self._depth:
            self._builder.data(text)


def _refuse(*_: Any) -> None:
    raise unreadable("The document has a DTD, which is not read")


def _attribute(name: str) -> str:
    """Return a name without its namespace, but for ids of relations: elements may have two ids."""
    namespace, _, local = name.rpartition(" ")
    return f"r:{local}" if namespace.endswith("/relationships") else local


def _local(name: str) -> str:
    return name.rpartition(" ")[2]
