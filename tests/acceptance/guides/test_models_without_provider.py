"""The table of models that the stub stands in for, as on its page, in a whole stack."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from deploy.stub_provider.contents import sounds
from engine.models.dialects.builtin import BuiltinSection
from engine.models.manifest import Category
from engine.models.registry import all_models
from tests.support.acceptance.commands import json_of
from tests.support.acceptance.running_stack import ONE_WORKER, RunningStack, running
from tests.support.http.providers import stub_provider

GUIDE = Path(__file__).parents[3] / "docs" / "how-to" / "models" / "try-without-a-provider.md"
ROWS = re.findall(r"^\| (`[^|]+) \| `(\w+_BASE_URL=[^|`]+)` \|$", GUIDE.read_text(), re.MULTILINE)
MODELS = [name for names, _ in ROWS for name in re.findall(r"`([\w-]+)`", names)]
CATEGORIES = {model.internal_name: model.category for model in all_models()}
FIELDS = {
    model.internal_name: [field.name for field in model.fields if field.required]
    for model in all_models()
}
TRANSCRIBERS = {model.internal_name for model in all_models() if model.is_transcriber}
COUNTS = {"suno": 2}
"""Number of media that one call makes, if not one."""
ANSWERS = ("(stub) A kettle", "[0.", "[-0.", "A sound of 2.0 seconds.")
SHOWN_AT = "http://127.0.0.1:8800"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    with stub_provider() as url:
        words = " ".join(variables for _, variables in ROWS).replace(SHOWN_AT, url)
        environ = dict(word.split("=", 1) for word in words.split())
        folder = tmp_path_factory.mktemp("stack")
        with running(folder, *ONE_WORKER, **environ) as started:
            yield started


@pytest.fixture(scope="module")
def model_key(stack: RunningStack) -> str:
    [account] = json_of(stack, "account", "list")
    made = json_of(stack, "key", "create", "--account", account["id"], "--capability", "model:run")
    return str(made["key"])


def sound_of(stack: RunningStack) -> str:
    """Store a sound; return its id."""
    headers = {"x-api-key": stack.key, "content-type": "audio/wav"}
    data = sounds.play("kettle", 2_000)
    stored = httpx2.post(f"{stack.url}/api/assets", content=data, headers=headers, timeout=30)
    assert stored.status_code == 201, stored.text
    return str(stored.json()["id"])


@pytest.mark.parametrize("name", MODELS)
def test_a_model_of_the_guide_answers_with_the_variables_beside_it(
    stack: RunningStack, model_key: str, name: str
) -> None:
    inputs = dict.fromkeys(FIELDS[name], "A kettle")
    if name in TRANSCRIBERS:
        inputs["audio"] = sound_of(stack)
    status, answer = stack.api("POST", f"/api/models/{name}/run", {"inputs": inputs}, key=model_key)

    assert status == 200, answer
    if CATEGORIES[name] is Category.TEXT:
        assert answer["result"]["text"].startswith(ANSWERS)
    else:
        urls = answer["result"][f"{CATEGORIES[name]}s"]
        assert len(urls) == COUNTS.get(name, 1)
        assert all(url.startswith(f"{stack.url}/media/") for url in urls)
    assert answer["cost"] > 0


def test_all_models_that_call_a_provider_are_in_the_guides_table() -> None:
    calls = [model for model in all_models() if not isinstance(model.call, BuiltinSection)]
    called = [model.internal_name for model in calls if model.call.endpoint.api_key_env]

    assert sorted(MODELS) == sorted(called)


def test_what_a_run_is_given_counts_before_it_starts(stack: RunningStack, model_key: str) -> None:
    def run(seconds: int, most: int) -> tuple[int, Any]:
        inputs = {"prompt": "A kettle", "duration": seconds}
        path = f"/api/models/kling/run?max_credits={most}"
        return stack.api("POST", path, {"inputs": inputs}, key=model_key)

    status, refused = run(10, 500)
    enough, answer = run(5, 500)

    assert (status, refused["code"], refused["estimate"]) == (402, "MAX_CREDITS_EXCEEDED", 840)
    assert "executionId" not in refused
    assert (enough, answer["cost"]) == (200, 420)
