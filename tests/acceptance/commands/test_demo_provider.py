"""`headrace up --demo-provider`: the models that ship answer, and are marked; examples run too.

`test_examples.py` runs all examples on the same stack.
"""

import io
import json
import os
import signal
from typing import Any

import httpx2
import pytest
from PIL import Image

from engine.models.manifest import Category
from engine.models.registry import shipped_models
from tests.support.acceptance.commands import json_of
from tests.support.acceptance.running_stack import RunningStack, until

SHIPPED = [each for each in shipped_models() if each.call.endpoint]
MODELS = {each.internal_name: each.category for each in SHIPPED}
PROMPTED = [each.internal_name for each in SHIPPED if each.fields[0].name == "prompt"]
LEAST_BYTES = 1_000
ASK = {"inputs": {"prompt": "A kettle"}}


def facts_of(stack: RunningStack, url: str) -> Any:
    asset_id = url.rpartition("/")[2].partition("?")[0]
    status, facts = stack.api("GET", f"/api/assets/{asset_id}")
    assert status == 200
    return facts


def decode(category: Category, answer: httpx2.Response) -> None:
    """Decode a picture; of other media, the installation has read the duration."""
    assert answer.status_code == 200
    assert len(answer.content) > LEAST_BYTES
    if category is Category.IMAGE:
        with Image.open(io.BytesIO(answer.content)) as picture:
            picture.load()


@pytest.mark.parametrize("name", PROMPTED)
def test_a_model_answers_with_a_text_or_with_media_that_can_be_decoded(
    stack: RunningStack, name: str
) -> None:
    category = MODELS[name]

    status, answer = stack.api("POST", f"/api/models/{name}/run", ASK)

    assert status == 200, answer
    if category is Category.TEXT:
        assert answer["result"] == {"text": "(stub) A kettle"}
        return
    for url in answer["result"][f"{category}s"]:
        decode(category, httpx2.get(url, timeout=30))
        facts = facts_of(stack, url)
        assert facts["contentType"].startswith(f"{category}/")
        assert category is Category.IMAGE or facts["durationMs"] > 0


def test_the_model_of_embeddings_answers_with_a_vector_of_the_text(stack: RunningStack) -> None:
    def vector(text: str) -> Any:
        _, answer = stack.api("POST", "/api/models/text-embedding/run", {"inputs": {"text": text}})
        return json.loads(answer["result"]["text"])

    assert len(vector("A kettle")) == 512
    assert vector("A kettle") == vector("A kettle") != vector("A mug")


def test_an_example_gives_pictures_that_can_be_decoded(stack: RunningStack) -> None:
    status, answer = stack.api("POST", "/api/workflows/product-pictures/run", {"inputs": {}})

    assert status == 200, answer
    assert len(answer["result"]["images"]) == 3
    for url in answer["result"]["images"]:
        decode(Category.IMAGE, httpx2.get(url, timeout=30))


def test_each_model_that_the_stub_answers_for_is_marked(stack: RunningStack) -> None:
    def rows() -> dict[str, Any]:
        return {row["internalName"]: row for row in stack.api("GET", "/api/models")[1]}

    found = until(rows, lambda rows: rows["gpt"]["available"])

    assert {name for name, row in found.items() if row["isDemo"]} == set(MODELS)
    assert all(found[name]["available"] for name in MODELS)
    assert not found["echo"]["isDemo"]


def test_the_commands_mark_them_and_try_them(stack: RunningStack) -> None:
    rows = {row["internalName"]: row for row in json_of(stack, "model", "list")}
    table = stack.command("model", "list").stdout
    tried = json_of(stack, "model", "try", "gpt-mini", "-i", "prompt=Hello")

    assert {name for name, row in rows.items() if row["isDemo"]} == set(MODELS)
    [line] = [line for line in table.splitlines() if line.startswith("gpt-mini ")]
    assert line.split()[-1] == "demo"
    assert tried["result"] == "(stub) Hello"


def test_a_stub_that_dies_is_started_again_at_the_same_address(stack: RunningStack) -> None:
    [pid] = stack.part("stub-provider")

    os.kill(pid, signal.SIGKILL)
    until(lambda: [each for each in stack.part("stub-provider") if each != pid])
    _, answer = until(
        lambda: stack.api("POST", "/api/models/gpt-mini/run", ASK), lambda found: found[0] == 200
    )

    assert answer["result"] == {"text": "(stub) A kettle"}
