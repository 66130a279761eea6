"""Output of a finished job: URLs of files, or a text."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from deploy.stub_provider.contents import pictures
from deploy.stub_provider.contents.files import picture_name, seed_of, timed_name
from deploy.stub_provider.contents.texts import echo
from deploy.stub_provider.endpoint import prompt_of
from deploy.stub_provider.errors import StubRefused
from deploy.stub_provider.jobs import StubJob
from deploy.stub_provider.script import without_marks

USUAL_SIDE = 512
USUAL_SECONDS = 5.0
MAX_OUTPUTS = 16
GIVEN = ("image", "image_url", "first_frame", "last_frame")
"""Members of an input that hold source images."""


class OutputKind(StrEnum):
    """Kind of a job's output."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    TEXT = "text"


_WORDS = (
    (OutputKind.VIDEO, re.compile(r"video|seedance|kling|veo|sora|runway", re.I)),
    (OutputKind.AUDIO, re.compile(r"audio|music|suno|speech|sound|tts", re.I)),
    (OutputKind.TEXT, re.compile(r"text|llm|chat", re.I)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """File names, or a text."""

    kind: OutputKind
    names: tuple[str, ...] = ()
    text: str = ""


def kind_of(job: StubJob) -> OutputKind:
    """Return the kind in the script, else the one that the model's name suggests, else an image."""
    named = job.script.output
    if named:
        return OutputKind(named)
    return next((kind for kind, words in _WORDS if words.search(job.model)), OutputKind.IMAGE)


def check_kind(output: str) -> None:
    """Raise StubRefused for an unknown `output` of a script."""
    if output and output not in set(OutputKind):
        raise StubRefused(
            400, f"(stub) 'output' is one of {', '.join(OutputKind)}.", param="x-stub"
        )


def output_of(job: StubJob) -> Output:
    """Return the output of the job, always the same."""
    kind, values = kind_of(job), job.input
    prompt = without_marks(prompt_of(values))
    if kind is OutputKind.TEXT:
        return Output(kind=kind, text=echo(prompt))
    given = [values[name] for name in GIVEN if isinstance(values.get(name), str)]
    seeds = [
        seed_of(job.model, prompt, values.get("seed"), *given, number)
        for number in range(_count(values))
    ]
    if kind is OutputKind.IMAGE:
        size = _size(values)
        form = _form(values)
        return Output(kind=kind, names=tuple(picture_name(seed, *size, form) for seed in seeds))
    ending = "mp4" if kind is OutputKind.VIDEO else "wav"
    seconds = _number(values.get("duration"), USUAL_SECONDS)
    return Output(kind=kind, names=(timed_name(seeds[0], seconds, ending),))


def _count(values: Mapping[str, Any]) -> int:
    named = (values.get(name) for name in ("num_outputs", "num_images", "n"))
    given = next((value for value in named if value is not None), 1)
    return min(MAX_OUTPUTS, max(1, int(_number(given, 1))))


def _size(values: Mapping[str, Any]) -> tuple[int, int]:
    ratio = re.fullmatch(r"(\d{1,2}):(\d{1,2})", str(values.get("aspect_ratio", "")))
    if ratio and int(ratio[1]) and int(ratio[2]):
        wide, high = int(ratio[1]), int(ratio[2])
        longest = max(wide, high)
        return USUAL_SIDE * wide // longest, USUAL_SIDE * high // longest
    size = values.get("image_size")
    named = size if isinstance(size, dict) else values
    return pictures.fit(
        int(_number(named.get("width"), USUAL_SIDE)), int(_number(named.get("height"), USUAL_SIDE))
    )


def _form(values: Mapping[str, Any]) -> str:
    asked = str(values.get("output_format", "png")).replace("jpg", "jpeg")
    return asked if asked in pictures.FORMATS else "png"


def _number(value: Any, usual: float) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return usual
    return number if 0 < number < 10_000 else usual
