"""The pages on documents and sound: their files and commands run as printed."""

import json
import re
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.acceptance.running_stack import RunningStack
from tests.support.guides.guide_shell import ROOT, GuideShell, blocks

PAGES = ROOT / "docs" / "how-to" / "compose"
READ, SOUND = PAGES / "read-documents.md", PAGES / "work-with-sound.md"
ANSWER = PAGES / "answer-from-documents.md"
SAID = "The kettle is blue. It holds one litre."


@pytest.fixture
def shell(stack: RunningStack, tmp_path: Path) -> GuideShell:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    return GuideShell(stack, tmp_path)


def run_model(stack: RunningStack, name: str, **inputs: Any) -> Any:
    status, answer = stack.api("POST", f"/api/models/{name}/run", {"inputs": inputs})
    assert status == 200, answer
    return answer["result"]


def test_the_invoice_of_the_page_comes_back_as_the_json_that_it_shows(shell: GuideShell) -> None:
    _, run, _ = blocks(READ)
    shown, _ = blocks(READ, "json")

    assert json.loads(shell.run(run)) == json.loads(shown)


def test_the_table_of_the_page_is_read(shell: GuideShell, tmp_path: Path) -> None:
    *_, commands = blocks(READ)
    _, document = blocks(READ, "json")
    (tmp_path / "document-text.json").write_text(document)

    *_, result = re.split(r"\n(?=\{)", shell.run(commands))

    read = json.loads(result)
    assert read["tables"] == [[["name", "amount"], ["Ada", "120"], ["Bob", "80"]]]
    assert len(read["pages"]) == 1


def test_the_question_of_the_page_is_answered_with_its_passages(shell: GuideShell) -> None:
    _, ask = blocks(ANSWER)

    answered = json.loads(shell.run(ask))

    [source] = answered["sources"]
    assert "Payable within 30 days" in source["passage"]
    assert answered["answer"]


def test_the_note_of_the_page_is_spoken_and_comes_back_as_text(
    shell: GuideShell, tmp_path: Path
) -> None:
    _, say, hear = blocks(SOUND)[:3]
    spoken, heard = blocks(SOUND, "json")
    (tmp_path / "spoken-note.json").write_text(spoken)
    (tmp_path / "note-text.json").write_text(heard)

    shell.run(say)
    *_, result = re.split(r"\n(?=\{)", shell.run(hear))

    transcript = json.loads(result)
    assert transcript["text"] == SAID
    assert [each["text"] for each in transcript["segments"]] == [
        f"{each}." for each in SAID.rstrip(".").split(". ")
    ]
    starts = [each["start"] for each in transcript["segments"]]
    ends = [each["end"] for each in transcript["segments"]]
    assert starts[0] == 0
    assert starts[1:] == ends[:-1]


def test_models_speak_and_transcribe_by_themselves(stack: RunningStack) -> None:
    [sound] = run_model(stack, "gpt-speech", text=SAID)["audios"]

    transcript = run_model(stack, "gpt-transcribe", audio=sound)

    assert httpx2.get(sound, timeout=30).headers["content-type"].startswith("audio/")
    assert transcript.keys() == {"text", "segments"}
    assert transcript["text"] == SAID
