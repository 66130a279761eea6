"""The real models of speech, in the pool and through a whole stack: `make local`."""

import io
import os
import re
import time
import wave
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from engine.errors.nodes import NodeFailed
from tests.local.test_sounds import FORMATS, encoded
from tests.support.acceptance.running_stack import running
from tests.support.contract.installation import Administration
from tests.support.factories import Graph
from workers.nodes.local_models import SpeechPool
from workers.providers.media import content_type_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_200)]

SENTENCES = (
    "The meeting begins at nine o'clock on Thursday morning, and Anna brings the figures.",
    "Please send the invoice to the office in Hamburg, because the bank is closed in January.",
    "Our new engine reads documents and listens to recordings, so nobody has to take notes.",
)
MOST_ERRORS = 0.1
TEN_MINUTES = 600


def words(text: str) -> list[str]:
    plain = text.lower().replace("9 o'clock", "nine o'clock")
    return re.sub(r"[^a-z0-9' ]", "", plain).split()


def error_rate(said: str, heard: str) -> float:
    """Return the share of words that were added, left out or taken for others."""
    expected, found = words(said), words(heard)
    row = list(range(len(found) + 1))
    for position, word in enumerate(expected, 1):
        before, row[0] = row[0], position
        for place, other in enumerate(found, 1):
            costs = (row[place] + 1, row[place - 1] + 1, before + (word != other))
            before, row[place] = row[place], min(costs)
    return row[-1] / len(expected)


def seconds_of(sound: bytes) -> float:
    with wave.open(io.BytesIO(sound)) as file:
        return file.getnframes() / file.getframerate()


def repeated(sound: bytes, seconds: float) -> bytes:
    """Return the sound again and again, with pauses, for at least so long."""
    written = io.BytesIO()
    with wave.open(io.BytesIO(sound)) as source, wave.open(written, "wb") as target:
        target.setparams(source.getparams())
        frames, rate = source.readframes(source.getnframes()), source.getframerate()
        for _ in range(int(seconds / (seconds_of(sound) + 1)) + 1):
            target.writeframes(frames + bytes(2 * rate))
    return written.getvalue()


def memory(pool: SpeechPool) -> dict[str, int]:
    """Return the most memory of any child in MB: mapped, and resident."""
    most = {"VmPeak": 0, "VmHWM": 0}
    for child in pool._children:
        status = Path(f"/proc/{child._pid}/status").read_text()
        for name in most:
            [size] = re.findall(rf"{name}:\s+(\d+) kB", status)
            most[name] = max(most[name], int(size) // 1024)
    return most


@pytest.fixture
async def pool() -> AsyncIterator[SpeechPool]:
    pool = SpeechPool()
    yield pool
    await pool.close()


async def test_sentences_are_spoken_and_recognised(pool: SpeechPool) -> None:
    for turn in ("first", "second"):
        for said in SENTENCES:
            began = time.monotonic()
            sound = await pool.speak(said, 120)
            spoken = time.monotonic()
            transcript, seconds = await pool.transcribe(sound, "audio/wav", "", 300)
            heard = time.monotonic()
            rate = error_rate(said, transcript["text"])
            print(
                f"\n{turn}: {seconds:.1f} s spoken in {spoken - began:.2f} s, recognised in "
                f"{heard - spoken:.2f} s, {rate:.0%} of words wrong, load {os.getloadavg()[0]:.1f}"
            )
            assert seconds == pytest.approx(seconds_of(sound), abs=0.1)
            assert rate <= MOST_ERRORS, transcript
            ends = [each["end"] for each in transcript["segments"]]
            assert ends == sorted(ends) and ends[-1] <= seconds + 1
    print(f"memory: {memory(pool)}")


@pytest.mark.parametrize("name", FORMATS)
async def test_each_format_is_recognised(name: str, pool: SpeechPool) -> None:
    sound = encoded(await pool.speak(SENTENCES[1], 120), name)

    transcript, _ = await pool.transcribe(sound, content_type_of(sound), "en", 300)

    assert error_rate(SENTENCES[1], transcript["text"]) <= MOST_ERRORS


async def test_the_same_text_gives_the_same_sound(pool: SpeechPool) -> None:
    assert await pool.speak(SENTENCES[0], 120) == await pool.speak(SENTENCES[0], 120)


@pytest.mark.parametrize("text", ["0 " * 2_000, "x" * 4_096, "Hi! " * 1_000, "\n" * 4_000 + "Hi"])
async def test_a_text_that_is_no_prose_is_spoken_within_the_memory(
    text: str, pool: SpeechPool
) -> None:
    assert seconds_of(await pool.speak(text, 300)) > 0


async def test_silence_has_no_words(pool: SpeechPool) -> None:
    sound = await pool.speak("Hi.", 120)
    silence = sound[:44] + bytes(len(sound) - 44)

    transcript, seconds = await pool.transcribe(silence, "audio/wav", "", 300)

    assert (transcript, seconds > 0) == ({"text": "", "segments": []}, True)


async def test_a_sound_that_takes_too_long_ends_with_its_time_and_the_next_is_recognised(
    pool: SpeechPool,
) -> None:
    sound = await pool.speak(SENTENCES[0], 120)
    await pool.transcribe(sound, "audio/wav", "en", 300)

    began = time.monotonic()
    with pytest.raises(NodeFailed) as caught:
        await pool.transcribe(repeated(sound, 120), "audio/wav", "en", 0.5)
    took = time.monotonic() - began
    transcript, _ = await pool.transcribe(sound, "audio/wav", "en", 300)

    assert caught.value.code == "timeout"
    print(f"\ntimed out after {took:.2f} s")
    assert error_rate(SENTENCES[0], transcript["text"]) <= MOST_ERRORS


async def test_ten_minutes_are_recognised_within_the_memory(pool: SpeechPool) -> None:
    sound = await pool.speak(" ".join(SENTENCES), 120)
    long = repeated(sound, TEN_MINUTES)
    await pool.transcribe(sound, "audio/wav", "en", 300)

    began = time.monotonic()
    transcript, seconds = await pool.transcribe(long, "audio/wav", "en", 1_100)
    took = time.monotonic() - began

    times = [each["start"] for each in transcript["segments"]]
    print(
        f"\n{seconds:.0f} s recognised in {took:.0f} s ({seconds / took:.1f} s a second), "
        f"memory {memory(pool)}, load {os.getloadavg()[0]:.1f}"
    )
    assert times == sorted(times) and times[-1] < seconds
    said = " ".join(SENTENCES) + " "
    assert error_rate(said * round(seconds / (seconds_of(sound) + 1)), transcript["text"]) < 0.1


def repeating() -> Graph:
    """Return a workflow that says a text, and writes down what it hears."""
    graph = Graph("said").node("s", "speak", model="local-speech")
    graph.node("t", "transcribe", model="local-transcription", language="en")
    graph.node("out", "responseOutput")
    return graph.wire(
        *("in.said > s.text-in", "s.audio-out > t.audio-in"), "t.text-out > out.result-in"
    )


def test_a_text_is_spoken_and_recognised_over_http(tmp_path: Path) -> None:
    with running(tmp_path, "--no-demo") as stack:
        made = Administration(stack)
        rights = ("model:run", "workflow:*")
        admin = made.with_key(made.key(made.account("business"), *rights))
        spoken: Any = admin.run_model("local-speech", {"text": SENTENCES[1]})
        assert spoken.status_code == 200, spoken.text
        [url] = spoken.json()["result"]["audios"]
        heard: Any = admin.run_model("local-transcription", {"audio": url, "language": "en"})
        broken: Any = admin.run_model("local-transcription", {"audio": url, "language": "xx"})
        slug = admin.save(repeating().body("Repeat"))
        run: Any = admin.run(slug, {"said": SENTENCES[2]})
        made.close()

    assert run.status_code == 200, run.text
    assert error_rate(SENTENCES[2], run.json()["result"]["text"]) <= MOST_ERRORS
    assert heard.status_code == 200, heard.text
    result = heard.json()["result"]
    assert error_rate(SENTENCES[1], result["text"]) <= MOST_ERRORS
    assert result["segments"][0]["text"] in result["text"]
    assert (broken.status_code, "xx" in broken.text) == (500, True), broken.text
