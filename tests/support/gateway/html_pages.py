"""HTML as a browser without scripts reads it: elements, their attributes and their texts."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset({"meta", "input", "br", "img", "link", "hr"})


@dataclass
class Element:
    """An element with all of its attributes; those without a value have an empty one."""

    tag: str
    attributes: dict[str, str]
    text: str = ""
    """All text in it, that of its children included."""
    children: list["Element"] = field(default_factory=list)

    def __iter__(self) -> Iterator["Element"]:
        """Iterate over the element and all those in it, in the order of the document."""
        yield self
        for child in self.children:
            yield from child

    def all(self, tag: str, **attributes: str) -> list["Element"]:
        """Return the elements of a tag with these attributes."""
        return [
            each
            for each in self
            if each.tag == tag and attributes.items() <= each.attributes.items()
        ]

    def one(self, tag: str, **attributes: str) -> "Element":
        """Return the only such element."""
        (found,) = self.all(tag, **attributes)
        return found


class HtmlPage(HTMLParser):
    """Parser of a document in which every element is closed."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("", {})
        self._open = [self.root]

    @classmethod
    def parse(cls, html: str) -> Element:
        """Return the root of a document; each element must be closed in its turn."""
        page = cls()
        page.feed(html)
        page.close()
        assert page._open == [page.root], f"not closed: {[each.tag for each in page._open]}"
        return page.root

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"an attribute occurs twice: {tag} {attrs}"
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self._open[-1].tag == tag, f"</{tag}> closes <{self._open[-1].tag}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for each in self._open:
            each.text += data
