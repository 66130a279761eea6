"""Runs whose events a caller reads."""

from tests.support.contract.installation import Caller
from tests.support.http.sse_reader import SentEvent, parse

STREAM = {"accept": "text/event-stream"}
WORDS = "[[stub pace=8]] " + " ".join(f"word{number}" for number in range(12))
SLOWLY = WORDS.replace("pace=8", "pace=60")
"""Longer than the pause between two events of one text on a busy machine."""


def streamed(caller: Caller, slug: str, prompt: str = WORDS, query: str = "") -> list[SentEvent]:
    """Return all events of a watched run."""
    answer = caller.run(slug, {"prompt": prompt}, query, headers=STREAM)
    assert answer.status_code == 200, answer.text
    return parse(answer.text)


def events_of(caller: Caller, execution_id: str, after: str = "") -> list[SentEvent]:
    """Return the events of an execution after one of them, over a connection of its own."""
    headers = {"connection": "close"} | ({"last-event-id": after} if after else {})
    answer = caller.get(f"/api/executions/{execution_id}/events", headers=headers)
    assert answer.status_code in (200, 204), answer.text
    return parse(answer.text)


def begin(caller: Caller, slug: str, count: int) -> list[SentEvent]:
    """Read so many events of a run, then disconnect."""
    path, body = f"/api/workflows/{slug}/run", {"inputs": {"prompt": WORDS}}
    seen = ""
    with caller.client.stream("POST", path, json=body, headers=STREAM) as answer:
        for text in answer.iter_text():
            seen += text
            if len(parse(seen)) >= count:
                break
    return parse(seen)[:count]


def text_of(events: list[SentEvent]) -> str:
    """Return a node's text as a client assembles it; nothing is missing."""
    text = ""
    for event in events:
        if event.name == "node.token":
            assert event.data["offset"] <= len(text)
            text = text[: event.data["offset"]] + event.data["text"]
    return text
