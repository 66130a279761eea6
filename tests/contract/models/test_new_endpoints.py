"""Section 8, an OpenAI-compatible endpoint is added without code: by a file, or by a call."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from deploy.stack.location import RECORD, read_private
from tests.support.acceptance.running_stack import RunningStack, until
from tests.support.contract.installation import Administration, Caller
from tests.support.gateway.documents import edge, node
from tests.support.http.providers import stub_provider
from tests.support.manifests import manifest

PRICE = 12
"""Credits for one call at 0.010 USD with the markup of a Business account."""
READ, STILL = "models read", "what it said before goes on"
"""Logs of the processes."""


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """A server of models that this installation does not know."""
    with stub_provider() as url:
        yield url


@pytest.fixture(scope="module")
def folder(stack: RunningStack) -> Iterator[Path]:
    """The folder that the stack watches, restored after the tests."""
    found = Path(read_private(stack.data_dir / RECORD)["settings"]["HEADRACE_MODELS_DIR"])
    before = set(found.iterdir())
    yield found
    for file in set(found.iterdir()) - before:
        file.unlink()


@pytest.fixture(scope="module")
def dropped(folder: Path, endpoint: str, administration: Administration) -> str:
    """A model from a file that was added while the stack runs."""
    (folder / "dropped.toml").write_text(served(endpoint, "dropped", "new-model-1"))
    caller = administration.caller("business", "model:run")
    until(lambda: answered(caller, "dropped"))
    return "dropped"


def served(url: str, name: str, model: str) -> str:
    """Return a manifest of a model that is served there."""
    call = f'[openai]\nbase_url = "{url}/v1"\napi_key_env = "PROVIDER_KEY"\nmodel = "{model}"\n'
    return manifest(name, call=call)


def answered(caller: Caller, name: str) -> Any:
    """Return the answer to a run of the model, None as long as it is unknown."""
    answer = caller.run_model(name, {"prompt": "Who are you?"})
    return answer.json() if answer.status_code == 200 else None


def asked_models(url: str) -> set[str]:
    """Return the names of models in calls of the endpoint."""
    calls = httpx2.get(f"{url}/stub/calls", timeout=30).json()["recent"]
    return {call["model"] for call in calls if call["path"] == "/v1/chat/completions"}


def lines(stack: RunningStack, words: str) -> list[str]:
    """Return the log lines of the processes with these words."""
    return [each for each in stack.errors if words in each]


def test_an_endpoint_is_added_by_a_file_while_the_stack_runs(
    caller: Caller, dropped: str, endpoint: str
) -> None:
    answer = until(lambda: answered(caller, dropped))

    assert "Who are you?" in answer["result"]["text"]
    assert answer["cost"] == PRICE
    assert "new-model-1" in asked_models(endpoint)


def test_workflows_call_it_like_any_other(caller: Caller, dropped: str) -> None:
    nodes = [
        node("ask", "assistant", model=dropped, prompt="In a workflow"),
        node("out", "responseOutput"),
    ]
    edges = [edge("ask", "text-out", "out", "result-in")]
    document = {"name": "New", "nodes": nodes, "edges": edges}

    slug = until(lambda: caller.create(document).json().get("slug"))

    assert "In a workflow" in caller.run(slug).json()["result"]["text"]


def test_an_endpoint_is_added_over_http_with_a_key_that_a_file_sends_there(
    caller: Caller, admin: Caller, dropped: str, endpoint: str
) -> None:
    body = {"manifest": served(endpoint, "posted", "new-model-2")}

    saved = until(lambda: admin.post("/api/models", body), lambda each: each.status_code == 201)
    answer = until(lambda: answered(caller, "posted"))
    deleted = admin.delete("/api/models/posted")

    assert saved.json()["internalName"] == "posted"
    assert "Who are you?" in answer["result"]["text"]
    assert "new-model-2" in asked_models(endpoint)
    assert deleted.json() == {"success": True}


@pytest.mark.slow
def test_a_file_that_is_broken_meanwhile_goes_on_as_it_was_and_is_told_of(
    stack: RunningStack, caller: Caller, folder: Path, endpoint: str
) -> None:
    processes = len(stack.part("gateway")) + len(stack.part("worker"))
    read = len(lines(stack, READ))
    (folder / "broken.toml").write_text(served(endpoint, "broken", "new-model-3"))
    until(lambda: len(lines(stack, READ)) - read, processes.__le__)

    (folder / "broken.toml").write_text("internalName =")
    reported = until(lambda: lines(stack, STILL), lambda found: len(found) == processes)
    listed = {row["internalName"] for row in caller.get("/api/models").json()}

    assert "broken.toml:1: this is not TOML" in reported[0]
    assert answered(caller, "broken") is not None
    assert {"broken", "echo"} <= listed
