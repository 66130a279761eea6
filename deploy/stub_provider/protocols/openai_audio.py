"""OpenAI's speech and transcripts.

From the API reference (platform.openai.com/docs/api-reference): audio/createSpeech,
audio/createTranscription.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

from deploy.stub_provider.contents import sounds
from deploy.stub_provider.contents.files import seed_of
from deploy.stub_provider.contents.texts import count_tokens
from deploy.stub_provider.contents.transcripts import Segment, Transcript
from deploy.stub_provider.contents.transcripts import transcribe as listen
from deploy.stub_provider.endpoint import Stub
from deploy.stub_provider.errors import StubRefused
from deploy.stub_provider.exchange import StubAnswer, StubRequest, answer_json
from deploy.stub_provider.script import without_marks

PCM_RATE = 24_000
SPEECH_FORMATS = frozenset({"mp3", "opus", "aac", "flac", "wav", "pcm"})
MAX_SPEECH = 4096
SECONDS_OF_A_CHARACTER = 0.05
SLOWEST, FASTEST = 0.25, 4.0
MAX_SOUND = 26_214_400
PLAIN = "text/plain; charset=utf-8"
NEWEST = "transcribe"
"""Ending of the names of models that give no segments."""


def speak(request: StubRequest, stub: Stub) -> StubAnswer:
    """POST /v1/audio/speech: a tune that carries the text; WAV, or raw samples for `pcm`.

    Other formats are answered with WAV too, declared as such.
    """
    request.text("model")
    text = request.text("input")
    wanted = request.choice("response_format", "mp3", SPEECH_FORMATS)
    if len(text) > MAX_SPEECH:
        raise StubRefused(400, f"(stub) 'input' has over {MAX_SPEECH} characters.", param="input")
    text = without_marks(text)
    seed = seed_of(text, request.body.get("voice"))
    seconds = max(1.0, SECONDS_OF_A_CHARACTER * len(text) / _speed(request))
    milliseconds, tokens = round(1000 * min(seconds, sounds.MAX_SECONDS)), count_tokens(text)
    if wanted == "pcm":
        data = sounds.samples(seed, milliseconds, PCM_RATE)
        return StubAnswer(chunks=(data,), content_type="audio/pcm", input_tokens=tokens)
    data = sounds.say(text, seed, milliseconds)
    return StubAnswer(chunks=(data,), content_type="audio/wav", input_tokens=tokens)


def transcribe(request: StubRequest, stub: Stub) -> StubAnswer:
    """POST /v1/audio/transcriptions, a form: what the stub spoke, or a sentence on the length."""
    model = request.text("model")
    wanted = request.choice("response_format", "json", WRITERS)
    if model.endswith(NEWEST) and wanted not in ("json", "text"):
        message = f"(stub) 'response_format' {wanted!r} is not for the model {model!r}."
        raise StubRefused(400, message, param="response_format")
    found = listen(_sound(request))
    if found is None:
        raise StubRefused(400, "(stub) Invalid file format.", param="file")
    return WRITERS[wanted](found, request)


def _speed(request: StubRequest) -> float:
    speed = request.body.get("speed", 1)
    is_number = isinstance(speed, int | float) and not isinstance(speed, bool)
    if not is_number or not SLOWEST <= speed <= FASTEST:
        raise StubRefused(400, "(stub) 'speed' is a number from 0.25 to 4.", param="speed")
    return float(speed)


def _sound(request: StubRequest) -> bytes:
    files = request.body.get("file")
    if not isinstance(files, list) or len(files) != 1 or not isinstance(files[0], bytes):
        raise StubRefused(400, "(stub) 'file' must be sent as one file.", param="file")
    if len(files[0]) > MAX_SOUND:
        raise StubRefused(413, f"(stub) 'file' is over {MAX_SOUND} bytes.", param="file")
    return files[0]


def _json(found: Transcript, request: StubRequest) -> StubAnswer:
    return answer_json({"text": found.text, "usage": _usage(found)})


def _verbose(found: Transcript, request: StubRequest) -> StubAnswer:
    segments = [_segment(number, each) for number, each in enumerate(found.segments)]
    about = {"task": "transcribe", "language": request.body.get("language", "english")}
    value = {**about, "duration": found.milliseconds / 1000, "text": found.text}
    return answer_json({**value, "segments": segments, "usage": _usage(found)})


def _segment(number: int, segment: Segment) -> Mapping[str, Any]:
    times = {"start": segment.start / 1000, "end": segment.end / 1000}
    figures = {"temperature": 0.0, "avg_logprob": -0.1, "compression_ratio": 1.0}
    about = {"id": number, "seek": 0, "tokens": [], "no_speech_prob": 0.0}
    return {**about, **times, "text": f" {segment.text}", **figures}


def _usage(found: Transcript) -> Mapping[str, Any]:
    return {"type": "duration", "seconds": math.ceil(found.milliseconds / 1000)}


def _text(found: Transcript, request: StubRequest) -> StubAnswer:
    return _plain(f"{found.text}\n")


def _srt(found: Transcript, request: StubRequest) -> StubAnswer:
    entries = (
        f"{number}\n{_time(each.start, ',')} --> {_time(each.end, ',')}\n{each.text}\n\n"
        for number, each in enumerate(found.segments, 1)
    )
    return _plain("".join(entries))


def _vtt(found: Transcript, request: StubRequest) -> StubAnswer:
    entries = (
        f"{_time(each.start, '.')} --> {_time(each.end, '.')}\n{each.text}\n\n"
        for each in found.segments
    )
    return _plain("WEBVTT\n\n" + "".join(entries))


def _plain(text: str) -> StubAnswer:
    return StubAnswer(chunks=(text.encode(),), content_type=PLAIN)


def _time(milliseconds: int, mark: str) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}{mark}{rest:03}"


WRITERS: Mapping[str, Callable[[Transcript, StubRequest], StubAnswer]] = {
    "json": _json,
    "verbose_json": _verbose,
    "text": _text,
    "srt": _srt,
    "vtt": _vtt,
}
"""Writers of answers, by format."""
