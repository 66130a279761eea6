"""Styles and lists of a DOCX: levels of headings, and the marks of items."""

from collections import defaultdict
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from workers.nodes.documents.office.package import Package

MAX_PARENTS = 10
TITLES = {"title": 1, "subtitle": 2}


@dataclass(slots=True)
class _Style:
    """One style of paragraphs."""

    name: str
    parent: str | None
    outline: int | None
    numbered: tuple[str, int] | None


class Styles:
    """Styles of paragraphs by id."""

    def __init__(self, package: Package, name: str = "word/styles.xml") -> None:
        self._styles: dict[str, _Style] = {}
        for each in package.elements(name, "style") if name in package else ():
            self._styles[each.get("styleId", "")] = _read_style(each)

    def heading_level(self, style: str | None, properties: Element | None) -> int:
        """Return the level of a heading; 0: it is none."""
        own = None if properties is None else properties.find("outlineLvl")
        outline = _whole(None if own is None else own.get("val"))
        if outline is not None:
            return outline + 1 if outline < 9 else 0
        for each in self._parents(style):
            if each.outline is not None:
                return each.outline + 1 if each.outline < 9 else 0
            kind, _, level = each.name.partition(" ")
            if kind == "heading" and level.isdigit():
                return int(level)
            if each.name in TITLES:
                return TITLES[each.name]
        return 0

    def numbering(self, style: str | None) -> tuple[str, int] | None:
        """Return list and level of a style's paragraphs; None: they are no items."""
        found = (each.numbered for each in self._parents(style) if each.numbered is not None)
        return next(found, None)

    def _parents(self, style: str | None) -> list[_Style]:
        found: list[_Style] = []
        while style in self._styles and len(found) < MAX_PARENTS:
            found.append(self._styles[style])
            style = found[-1].parent
        return found


class Numbering:
    """Lists by id, and their counters."""

    def __init__(self, package: Package, name: str = "word/numbering.xml") -> None:
        self._formats: dict[tuple[str, int], str] = {}
        self._abstract: dict[str, str] = {}
        self._counts: defaultdict[str, list[int]] = defaultdict(list)
        for each in package.elements(name, "abstractNum", "num") if name in package else ():
            if each.tag == "num":
                target = each.find("abstractNumId")
                kept = "" if target is None else target.get("val", "")
                self._abstract[each.get("numId", "")] = kept
            else:
                self._read_formats(each)

    def _read_formats(self, abstract: Element) -> None:
        for level in abstract.iter("lvl"):
            shown = level.find("numFmt")
            place = _whole(level.get("ilvl")) or 0
            kind = "bullet" if shown is None else shown.get("val", "bullet")
            self._formats[abstract.get("abstractNumId", ""), place] = kind

    def next_mark(self, number: str, level: int) -> str:
        """Return the mark of the next item of a list."""
        level = min(level, 8)
        kind = self._formats.get((self._abstract.get(number, ""), level), "bullet")
        counts = self._counts[number]
        del counts[level + 1 :]
        counts += [0] * (level + 1 - len(counts))
        counts[level] += 1
        return "-" if kind in ("bullet", "none") else f"{counts[level]}."


def _read_style(style: Element) -> _Style:
    name, parent, properties = style.find("name"), style.find("basedOn"), style.find("pPr")
    outline = None if properties is None else properties.find("outlineLvl")
    return _Style(
        name="" if name is None else name.get("val", "").lower(),
        parent=None if parent is None else parent.get("val"),
        outline=_whole(None if outline is None else outline.get("val")),
        numbered=None if properties is None else _style_numbering(properties),
    )


def _style_numbering(properties: Element) -> tuple[str, int] | None:
    found = properties.find("numPr")
    number = None if found is None else found.find("numId")
    if found is None or number is None:
        return None
    level = found.find("ilvl")
    place = 0 if level is None else _whole(level.get("val")) or 0
    return number.get("val", "0"), place


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdigit() and len(text) < 6 else None
