"""Chunks of texts: fixed windows, whole sentences, or sections below headings of Markdown."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

MAX_CHUNKS = 10_000
MAX_CHARACTERS = 50_000_000
"""Most code points of all chunks together: an overlap may repeat a text many times."""

SENTENCE_END = re.compile(
    r"[.!?…。！？\r\n](?:"  # a set of characters at the beginning is found fast
    r"(?<=[.!?…])(?<![.!?…]{2})[.!?…]*+[\"'”’»)\]]*+\s++"  # a run is looked at once
    r"|(?<=[。！？])(?<![。！？]{2})[。！？]*+[」』”’）]*+\s*+"
    r"|(?<=[\r\n])(?<![\r\n]{2})(?:(?<=\r)\n)?+[ \t]*+(?:(?:\r\n?|\n)[ \t]*+)++"
    r")"
)
ABBREVIATION = re.compile(r"(?:^|[\s(\"'.])(?:\w|Dr|Mr|Mrs|Ms|Prof|St|Nr|No|Fig|vs|bzw|ca|etc)\.$")
"""A word that ends in a full stop, and the character before it."""
LONGEST_WORD = 12
HEADING = re.compile(r"^ {0,3}#{1,6}(?:[ \t]|$)|^ {0,3}(`{3,}|~{3,})", re.MULTILINE)
BLANKS = ("\n", " ", "\t", "\u3000")


class SplitBy(StrEnum):
    """Places where a text is split."""

    CHARACTERS = "characters"
    SENTENCES = "sentences"
    HEADINGS = "headings"


class TooManyChunks(Exception):
    """A text would have more chunks, or longer ones all together, than are allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkRules:
    """Limits of chunks in code points, and the places of their ends."""

    size: int
    overlap: int
    """Number of code points before a chunk that it repeats; smaller than `size`."""
    by: SplitBy


def split_texts(texts: Sequence[str], rules: ChunkRules) -> list[str]:
    """Return the chunks of all texts, one text after another. Raises TooManyChunks.

    Linear in the sizes of texts and chunks, whatever the texts are.
    """
    chunks: list[str] = []
    characters = 0
    for text in texts:
        for chunk in _split(text, rules):
            characters += len(chunk)
            if len(chunks) == MAX_CHUNKS or characters > MAX_CHARACTERS:
                raise TooManyChunks
            chunks.append(chunk)
    return chunks


def _split(text: str, rules: ChunkRules) -> Iterator[str]:
    places = _find_places(text, rules.by)
    begin = 0
    while begin < len(text):
        first = max(begin - rules.overlap, 0)
        # The first chunk is no shorter than the overlap, which the second one repeats in full.
        end = places.choose_end(max(begin + 1, rules.overlap), first + rules.size)
        yield text[first:end]
        begin = end


@dataclass(frozen=True, slots=True)
class _Places:
    """Ends of sentences and begins of sections of a text, ascending."""

    text: str
    sentences: Sequence[int] = ()
    sections: Sequence[int] = ()
    avoids_words: bool = True

    def choose_end(self, least: int, most: int) -> int:
        """Return the best end of a chunk between two places, both included."""
        section = bisect_left(self.sections, least)
        if section < len(self.sections) and self.sections[section] <= most:
            return self.sections[section]
        if len(self.text) <= most:
            return len(self.text)
        sentence = bisect_right(self.sentences, most) - 1
        if sentence >= 0 and self.sentences[sentence] >= least:
            return self.sentences[sentence]
        return self._after_blank(max(least, (least + most) // 2), most)

    def _after_blank(self, least: int, most: int) -> int:
        """Return the place after the last line or word, or the very end within a long word."""
        if self.avoids_words:
            for blank in BLANKS:
                found = self.text.rfind(blank, least - 1, most)
                if found >= 0:
                    return found + 1
        return most


def _find_places(text: str, by: SplitBy) -> _Places:
    if by is SplitBy.CHARACTERS:
        return _Places(text, avoids_words=False)
    sections = list(_headings(text)) if by is SplitBy.HEADINGS else []
    return _Places(text, list(_sentence_ends(text)), sections)


def _sentence_ends(text: str) -> Iterator[int]:
    """Yield the places behind sentences and paragraphs, and the blanks after them."""
    for match in SENTENCE_END.finditer(text):
        end = match.end()
        if match[0][0] == "." and _goes_on(text, match.start(), end):
            continue
        yield end


def _goes_on(text: str, stop: int, end: int) -> bool:
    """Return True for a full stop within a sentence: an abbreviation, or a small letter follows."""
    if text[end : end + 1].islower():
        return True
    return ABBREVIATION.search(text[max(stop - LONGEST_WORD, 0) : stop + 1]) is not None


def _headings(text: str) -> Iterator[int]:
    """Yield the places of headings but for the beginning; a `#` within fenced code is none."""
    fence = ""
    for match in HEADING.finditer(text):
        mark = match[1]
        if mark is None:
            if not fence and match.start():
                yield match.start()
        elif not fence:
            fence = mark
        elif mark.startswith(fence):
            fence = ""
