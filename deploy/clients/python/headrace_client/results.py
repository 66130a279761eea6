"""Results of runs that were waited for, with links to their media and parts of transcripts."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Part of a transcript, in seconds from the beginning of the sound."""

    start: float
    end: float
    text: str


def is_segment(value: Any) -> bool:
    """Return whether a value has the members of a segment, and no others."""
    return isinstance(value, dict) and value.keys() == {"start", "end", "text"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """Result of a run that was waited for."""

    result: Any
    """Value of the workflow's Response Output."""
    cost: float
    ms: int | None
    """Milliseconds that the run took."""
    execution_id: str
    warnings: tuple[str, ...] = ()
    """Sentences about members of the request that were ignored."""

    @property
    def text(self) -> str | None:
        """Text of a result that is one, or a transcript; None of another."""
        text = self._member("text")
        return text if isinstance(text, str) else None

    @property
    def images(self) -> tuple[str, ...]:
        """Links to the pictures of a result."""
        return self._links("images")

    @property
    def videos(self) -> tuple[str, ...]:
        """Links to the videos of a result."""
        return self._links("videos")

    @property
    def audios(self) -> tuple[str, ...]:
        """Links to the sounds of a result."""
        return self._links("audios")

    @property
    def files(self) -> tuple[str, ...]:
        """Links to the documents of a result."""
        return self._links("files")

    @property
    def segments(self) -> tuple[Segment, ...]:
        """Parts of a transcript; none where the provider gives none."""
        listed = self._member("segments")
        parts = listed if isinstance(listed, list) else []
        return tuple(Segment(**each) for each in parts if is_segment(each))

    def _links(self, name: str) -> tuple[str, ...]:
        value = self._member(name)
        links = [value] if isinstance(value, str) else value
        return tuple(links) if isinstance(links, list) else ()

    def _member(self, name: str) -> Any:
        return self.result.get(name) if isinstance(self.result, dict) else None
