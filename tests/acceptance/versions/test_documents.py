"""Documents and sound beside the previous release: refused, or left to those that know them."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.executions.rows import ItemAnswerRow, pack_answers, unpack_answers
from tests.support.acceptance.versions.load import VersionLoad
from tests.support.acceptance.versions.processes import is_fault
from tests.support.acceptance.versions.releases import THIS_RELEASE, Release
from tests.support.acceptance.versions.trial import GATEWAY, WORKER, VersionTrial, version_trial
from tests.support.documents.small_pdf import small_pdf
from tests.support.eventually import PATIENCE_SECONDS, eventually
from tests.support.factories import Graph
from tests.support.manifests import field, manifest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

DOCUMENT = "https://files.example/report.pdf"
FILE_FIELD = {"name": "doc", "label": "Document", "type": "file"}
MUST_WAIT = "run `headrace migrate`"


def taking_file() -> Graph:
    """Return a workflow with a field for a document, which it answers with its other field."""
    graph = Graph("who").node("out", "responseOutput").wire("in.who > out.result-in")
    graph.nodes[0]["data"]["fields"].append(FILE_FIELD)
    return graph


def splitting() -> Graph:
    graph = Graph("who").node("s", "splitText", size=3).node("out", "responseOutput")
    return graph.wire("in.who > s.text-in", "s.chunks-out > out.result-in")


def attaching() -> Graph:
    """Return an assistant with a document, whose model needs no provider."""
    graph = taking_file().node("a", "assistant", model="echo", prompt="hello")
    return graph.wire("a.text-out > out.result-in", "in.doc > a.file-in")


def speaking() -> Graph:
    graph = (
        Graph("who").node("m", "customModel", model="local-speech").node("out", "responseOutput")
    )
    return graph.wire("in.who > m.text-in", "m.audio-out > out.result-in")


LEFT: dict[str, tuple[Graph, dict[str, Any], Any, str]] = {
    "Split": (splitting(), {"who": "Ada"}, ["Ada"], "the node type 'splitText'"),
    "Take": (
        *(taking_file(), {"who": "Ada", "doc": DOCUMENT}, {"text": "Ada"}),
        "the value 'file' of the setting 'fields.type' of 'requestInput'",
    ),
}
"""Workflows that the previous release leaves: inputs, result, and the part that is unknown."""


@pytest.fixture
async def trial(previous: Release, tmp_path: Path) -> AsyncIterator[VersionTrial]:
    """Gateways of both releases, and a worker of the previous one alone."""
    async with version_trial(tmp_path, previous) as started:
        await started.start((previous, GATEWAY), (previous, WORKER), (THIS_RELEASE, GATEWAY))
        yield started
        await asyncio.to_thread(started.fleet.stop)
        assert started.fleet.lines(is_fault) == []


def url_of(trial: VersionTrial, *, is_new: bool) -> str:
    [url] = [each.url for each in trial.fleet.gateways if (each.release is THIS_RELEASE) is is_new]
    return url


async def save_new(trial: VersionTrial, name: str, graph: Graph) -> tuple[int, dict[str, Any]]:
    """Save a workflow at the gateway of this release."""
    new = url_of(trial, is_new=True)
    return await trial.load.ask_once("POST", "/api/workflows", graph.body(name), new)


async def begin(trial: VersionTrial, slug: str, inputs: dict[str, Any]) -> str:
    """Begin a run at the gateway of this release; return its execution."""
    path, new = f"/api/workflows/{slug}/run?async=true", url_of(trial, is_new=True)
    status, answer = await trial.load.ask_once("POST", path, {"inputs": inputs}, new)
    assert status == 202, answer
    return str(answer["executionId"])


async def warned(load: VersionLoad, execution_id: str) -> str:
    """Return the warning of an execution that a worker has left, once it has."""
    found = await eventually(
        lambda: load.read(execution_id), lambda found: bool(found.get("warnings"))
    )
    assert found["status"] == "processing"
    return str(found["warnings"][0])


async def ended(load: VersionLoad, execution_id: str) -> dict[str, Any]:
    return await eventually(
        lambda: load.read(execution_id),
        lambda found: found["status"] in ("completed", "failed", "cancelled"),
        timeout=2 * PATIENCE_SECONDS,
    )


async def test_a_document_is_not_stored_and_lists_and_quota_of_the_previous_release_stay(
    trial: VersionTrial,
) -> None:
    old, new = url_of(trial, is_new=False), url_of(trial, is_new=True)
    before = await trial.load.ask("GET", "/api/assets", url=old)

    for content, content_type in (
        (small_pdf("A page"), "application/pdf"),
        (b"a,b\n1,2\n", "text/csv"),
    ):
        status, answer = await trial.load.store_asset(content, content_type, new)
        assert (status, answer["code"]) == (503, "UNAVAILABLE"), answer
        assert "`headrace migrate`" in answer["error"]

    assert await trial.load.ask("GET", "/api/assets", url=old) == before


@pytest.mark.parametrize("name", LEFT)
@pytest.mark.F84
async def test_the_previous_release_shows_such_workflows_refuses_runs_and_leaves_executions(
    trial: VersionTrial, name: str
) -> None:
    graph, inputs, result, part = LEFT[name]
    old, path = url_of(trial, is_new=False), f"/api/workflows/{name.lower()}"
    status, saved = await save_new(trial, name, graph)
    assert status == 201, saved

    _, listed = await trial.load.ask("GET", "/api/workflows", url=old)
    shown = await trial.load.ask("GET", path, url=old)
    refused = await trial.load.ask("POST", f"{path}/run", {"inputs": {"who": "x"}}, url=old)
    overwritten = await trial.load.ask("PUT", path, graph.body(name), url=old)
    execution_id = await begin(trial, name.lower(), inputs)
    warning = await warned(trial.load, execution_id)
    read = await trial.load.ask("GET", f"/api/executions/{execution_id}", url=old)
    _, executions = await trial.load.ask("GET", "/api/executions", url=old)
    await trial.start((THIS_RELEASE, WORKER))
    execution = await ended(trial.load, execution_id)

    assert [each["slug"] for each in listed] == [name.lower()]
    assert (shown[0], shown[1]["nodes"]) == (200, saved["nodes"])
    assert (refused[0], refused[1]["code"]) == (409, "WORKFLOW_NOT_RUNNABLE")
    assert part in refused[1]["problems"][0]["reason"]
    assert (overwritten[0], overwritten[1]["code"]) == (400, "INVALID_GRAPH")
    assert part in warning
    assert (read[0], [each["executionId"] for each in executions["rows"]]) == (200, [execution_id])
    assert (execution["status"], execution["result"]) == ("completed", result)


async def test_files_of_an_assistant_are_left_too(trial: VersionTrial) -> None:
    status, saved = await save_new(trial, "Attach", attaching())
    assert status == 201, saved

    warning = await warned(trial.load, await begin(trial, "attach", {"who": "Ada"}))

    assert "'file-in' of 'assistant'" in warning or "'file'" in warning


async def test_a_model_that_the_previous_release_lacks_is_neither_saved_nor_run(
    trial: VersionTrial,
) -> None:
    new = url_of(trial, is_new=True)
    status, refused = await save_new(trial, "Speak", speaking())
    _, listed = await trial.load.ask("GET", "/api/workflows", url=new)

    assert (status, refused["code"]) == (400, "INVALID_GRAPH")
    [problem] = refused["problems"]
    assert (problem["nodeId"], MUST_WAIT in problem["reason"]) == ("m", True), problem
    assert problem["reason"].startswith("The model 'local-speech' must wait: ")
    assert listed == []


@pytest.mark.F84
async def test_a_saved_manifest_that_the_previous_release_cannot_read_leaves_its_runs(
    trial: VersionTrial,
) -> None:
    fields = field("prompt", "text", "required = true") + field("file", "file")
    await trial.save_model("reader", manifest("reader", fields=fields))
    graph = Graph("who").node("m", "customModel", model="reader").node("out", "responseOutput")
    graph.wire("in.who > m.prompt-in", "m.text-out > out.result-in")
    slug = await eventually_saved(trial, "Read", graph)

    execution_id = await begin(trial, slug, {"who": "Ada"})
    warning = await warned(trial.load, execution_id)
    await trial.start((THIS_RELEASE, WORKER))
    execution = await ended(trial.load, execution_id)

    assert "the manifest of the model 'reader'" in warning
    assert execution["result"] == {"text": "<Ada>"}


async def eventually_saved(trial: VersionTrial, name: str, graph: Graph) -> str:
    """Save a workflow once the gateway has seen its model."""

    async def save() -> str:
        status, answer = await save_new(trial, name, graph)
        return str(answer["slug"]) if status == 201 else ""

    return await eventually(save)


PACK = """
import json, sys
from engine.executions.rows import ItemAnswerRow, pack_answers, unpack_answers
given = json.load(sys.stdin)
[row] = unpack_answers(bytes.fromhex(given))
own = pack_answers([ItemAnswerRow(item=4, value=b"x", calls=1, seconds=row.seconds)])
print(json.dumps({"item": row.item, "value": row.value.decode(), "calls": row.calls,
                  "seconds": str(row.seconds), "own": own.hex()}))
"""


def test_answers_for_items_with_seconds_of_input_are_read_by_both_releases(
    previous: Release,
) -> None:
    row = ItemAnswerRow(
        item=3, value=b"said", calls=2, seconds=Decimal("1.5"), input_seconds=Decimal("7.25")
    )
    [command, *_] = previous.command()

    done = subprocess.run(
        [command, "-P", "-c", PACK],
        env=previous.environment,
        input=json.dumps(pack_answers([row]).hex()),
        capture_output=True,
        text=True,
        check=True,
    )

    read = json.loads(done.stdout)
    [own] = unpack_answers(bytes.fromhex(read.pop("own")))
    assert read == {"item": 3, "value": "said", "calls": 2, "seconds": "1.5"}
    assert (own.item, own.seconds, own.input_seconds) == (4, Decimal("1.5"), 0)
