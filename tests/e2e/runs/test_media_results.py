"""Files, tables and transcripts in results: pages, players, and times that lead into a sound."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.documents.small_pdf import small_pdf
from tests.support.e2e.axe import violations
from tests.support.e2e.workflows import edge, node
from tests.support.media.files import wav

pytestmark = pytest.mark.slow
SEGMENTS = [
    {"start": 0, "end": 1.5, "text": "Good morning."},
    {"start": 1.5, "end": 2.75, "text": "We ship on Friday."},
]
TABLES = [[["Item", "Count"], ["Tea", 3]], [["Name"], ["Ada"]]]
SOUND = {"name": "sound", "label": "Sound", "type": "audio", "required": False}
DOCUMENT = {"name": "document", "label": "Document", "type": "file", "required": False}
MICROPHONE = """() => {
  navigator.mediaDevices.getUserMedia = async () => {
    const context = new AudioContext();
    const oscillator = context.createOscillator();
    const out = context.createMediaStreamDestination();
    oscillator.connect(out);
    oscillator.start();
    return out.stream;
  };
}"""
"""A microphone that hears a tone."""


def constant(node_id: str, value: object) -> dict[str, Any]:
    """Return a node that gives a value."""
    return node(node_id, "transform", 1, expression=f"json.parse({json.dumps(json.dumps(value))})")


@pytest.fixture(scope="module", autouse=True)
def workflows(stack: RunningStack) -> None:
    outputs = [{"name": name} for name in ("segments", "tables", "sound", "document")]
    document = {
        "name": "Gives media",
        "nodes": [
            node("form", "requestInput", 0, fields=[SOUND, DOCUMENT]),
            constant("said", SEGMENTS),
            constant("read", TABLES),
            node("result", "responseOutput", 2, fields=outputs),
        ],
        "edges": [
            edge("form", "params", "said", "value-in"),
            edge("form", "params", "read", "value-in"),
            edge("said", "value-out", "result", "segments"),
            edge("read", "value-out", "result", "tables"),
            edge("form", "sound", "result", "sound"),
            edge("form", "document", "result", "document"),
        ],
    }
    status, answer = stack.api("POST", "/api/workflows", document)
    assert status == 201, answer


def begin(page: Page) -> None:
    page.get_by_role("button", name="Run", exact=True).click()
    status = page.get_by_role("region", name="Result").get_by_role("status").first
    expect(status.get_by_text("completed", exact=True)).to_be_visible()


def test_times_of_a_transcript_lead_into_its_sound(page: Page, tmp_path: Path) -> None:
    sound = tmp_path / "talk.wav"
    sound.write_bytes(wav(3_000))
    page.goto("/app/playground/gives-media")
    page.get_by_label("Sound").set_input_files(sound)
    expect(page.locator("form audio")).to_have_attribute("aria-label", "Sound")
    expect(page.get_by_text("talk.wav")).to_be_visible()
    begin(page)

    said = page.get_by_role("region", name="Result").get_by_role("table", name="segments")
    expect(said.get_by_role("row")).to_have_count(3)
    said.get_by_role("button", name="Play from 0:01.5").click()

    times = page.locator("audio")
    expect(times).to_have_count(2)
    page.wait_for_function(
        "() => [...document.querySelectorAll('audio')].some((each) => each.currentTime >= 1.5)"
    )
    assert violations(page) == []


def test_tables_and_documents_of_a_result_are_seen(page: Page, tmp_path: Path) -> None:
    document = tmp_path / "two.pdf"
    document.write_bytes(small_pdf("First", "Second"))
    page.goto("/app/playground/gives-media")
    page.get_by_label("Document").set_input_files(document)
    page.get_by_role("region", name="Preview").get_by_role("img").wait_for()
    begin(page)

    result = page.get_by_role("region", name="Result")
    expect(result.get_by_role("table", name="tables, table 1")).to_contain_text("Tea")
    expect(result.get_by_role("table", name="tables, table 2")).to_contain_text("Ada")
    link = result.get_by_role("link", name=re.compile(r"\.pdf$"))
    expect(result.get_by_text("PDF, ")).to_be_visible()
    expect(result.get_by_role("img", name="Page 1 of document")).to_be_visible()
    with page.expect_download() as download:
        link.click()
    assert download.value.path().read_bytes() == document.read_bytes()
    assert violations(page) == []


def test_an_execution_shows_the_file_of_its_inputs_and_no_times_lead_anywhere(
    page: Page, stack: RunningStack
) -> None:
    _, answer = stack.api("POST", "/api/workflows/gives-media/run", {"inputs": {}})
    page.goto(f"/app/executions/{answer['executionId']}")

    said = page.get_by_role("table", name="segments")

    expect(said).to_contain_text("0:01.5")
    expect(said.get_by_role("button")).to_have_count(0)


def test_a_refused_file_is_named_with_the_error_of_the_api(
    page: Page, tmp_path: Path, complaints: list[str]
) -> None:
    wrong = tmp_path / "wrong.pdf"
    wrong.write_bytes(b"\x00no document")
    page.goto("/app/playground/gives-media")

    page.get_by_label("Document").set_input_files(wrong)

    expect(page.get_by_role("alert")).to_contain_text("UNSUPPORTED_MEDIA_TYPE")
    complaints.clear()  # Chromium logs each 415


def test_an_upload_that_was_refused_for_a_time_is_tried_again(
    page: Page, tmp_path: Path, complaints: list[str]
) -> None:
    sound = tmp_path / "talk.wav"
    sound.write_bytes(wav())
    answers = [{"error": "The media store is full for now.", "code": "UNAVAILABLE"}]
    page.route(
        "**/api/assets",
        lambda route: (
            route.fulfill(status=503, json=answers.pop()) if answers else route.continue_()
        ),
    )
    page.goto("/app/playground/gives-media")
    page.get_by_label("Sound").set_input_files(sound)
    expect(page.get_by_role("alert")).to_contain_text("The media store is full for now.")

    page.get_by_role("button", name="Try again").click()

    expect(page.locator("form audio")).to_be_visible()
    complaints.clear()  # Chromium logs each 503


def test_a_sound_is_recorded_by_the_microphone_after_a_click(page: Page) -> None:
    page.goto("/app/playground/gives-media")
    page.evaluate(MICROPHONE)

    page.get_by_role("button", name="Record").click()
    page.wait_for_timeout(400)
    page.get_by_role("button", name="Stop recording").click()

    expect(page.locator("form audio")).to_be_visible()
    expect(page.get_by_text(re.compile(r"recording\.(ogg|webm|m4a)"))).to_be_visible()
