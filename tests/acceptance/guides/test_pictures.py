"""From a product to pictures with captions, in a whole stack, against the stub as a process."""

import io
import json
import subprocess
import time
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import httpx
import pytest
from PIL import Image, ImageChops

from deploy.admin.examples import example_documents
from tests.support.acceptance.documents import save
from tests.support.acceptance.running_stack import (
    HEADRACE,
    RunningStack,
    models_at,
    running,
)
from tests.support.gateway.documents import edge, node

EXAMPLE = "Product pictures"
PRODUCT = {"product": "Blue steel kettle"}
SIZE = (1024, 1024)
CREDITS_OF_IMAGES = 252
"""Credits for three images at 0.07 USD with the markup of a Business account, 1.2."""
FAN = 15
MAX_FAN_SECONDS = 1.3


@pytest.fixture(scope="module")
def provider_url() -> Iterator[str]:
    stub = subprocess.Popen(
        [*HEADRACE, "stub-provider", "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert stub.stdout is not None
        yield stub.stdout.readline().split()[1]
    finally:
        stub.kill()
        stub.communicate()


@pytest.fixture(scope="module")
def stack(provider_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    with running(tmp_path_factory.mktemp("stack"), **models_at(provider_url)) as started:
        yield started


@pytest.fixture(scope="module")
def opened(stack: RunningStack) -> str:
    """Return the example with every intermediate output in its result."""
    document = deepcopy(next(each for each in example_documents() if each["name"] == EXAMPLE))
    nodes = [each for each in document["nodes"] if each["id"] != "result"]
    edges = [each for each in document["edges"] if each["target"] != "result"]
    made = {
        "description": "text-out",
        "caption": "text-out",
        "prompt": "text-out",
        "pictures": "image-out",
        "captioned": "image-out",
    }
    nodes.append(node("result", "responseOutput", fields=[{"name": name} for name in made]))
    edges += [edge(name, socket, "result", name) for name, socket in made.items()]
    return save(stack, stack.key, "Opened", nodes, edges)


@pytest.fixture(scope="module")
def fan(stack: RunningStack) -> str:
    """Return a workflow that makes fifteen images of one prompt."""
    nodes = [
        node("form", "requestInput", fields=[{"name": "prompt", "type": "text"}]),
        node("pictures", "imageGenerator", model="gpt-image", count=FAN),
        node("result", "responseOutput"),
    ]
    edges = [
        edge("form", "prompt", "pictures", "prompt-in"),
        edge("pictures", "image-out", "result", "result-in"),
    ]
    return save(stack, stack.key, "Fan", nodes, edges)


def run(stack: RunningStack, slug: str, **inputs: Any) -> Any:
    status, answer = stack.api("POST", f"/api/workflows/{slug}/run", {"inputs": inputs})
    assert status == 200, answer
    return answer


def fetch(url: str) -> Image.Image:
    """Return a picture at a link, fetched without a key and decoded whole."""
    answer = httpx.get(url)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    picture = Image.open(io.BytesIO(answer.content))
    assert picture.format == "PNG"
    return picture.convert("RGB")


def count_white(picture: Image.Image) -> int:
    return picture.convert("L").point(lambda light: light == 255 and 255).histogram()[255]


def test_the_example_answers_with_links_to_three_pictures(stack: RunningStack) -> None:
    answer = run(stack, "product-pictures", **PRODUCT)

    assert answer["result"].keys() == {"images"}
    urls = answer["result"]["images"]
    assert len(set(urls)) == 3
    assert [fetch(url).size for url in urls] == [SIZE] * 3


def test_each_picture_has_the_caption_at_its_bottom_and_is_else_as_it_was(
    stack: RunningStack, opened: str
) -> None:
    result = run(stack, opened, **PRODUCT)["result"]

    assert result["caption"] == "(stub) Blue steel kettle"
    assert (len(result["pictures"]), len(result["captioned"])) == (3, 3)
    for plain, captioned in zip(result["pictures"], result["captioned"], strict=True):
        before, after = fetch(plain), fetch(captioned)
        box = ImageChops.difference(before, after).getbbox()
        assert box is not None
        assert SIZE[1] * 0.8 < box[1] < box[3] <= SIZE[1]
        letters = count_white(after.crop(box)) - count_white(before.crop(box))
        assert 2_000 < letters < 0.3 * (box[2] - box[0]) * (box[3] - box[1])


def test_a_run_costs_what_its_nodes_cost_and_usage_names_the_models(stack: RunningStack) -> None:
    answer = run(stack, "product-pictures", **PRODUCT)

    _, execution = stack.api("GET", f"/api/executions/{answer['executionId']}")
    _, usage = stack.api("GET", "/api/usage?workflowSlug=product-pictures&limit=1")
    _, schema = stack.api("GET", "/api/workflows/product-pictures/schema")
    costs = {each["id"]: each["creditsCost"] for each in execution["nodes"]}
    [row] = usage["rows"]
    assert costs.pop("pictures") == CREDITS_OF_IMAGES
    assert costs == {
        "form": 0,
        "captioned": 0,
        "result": 0,
        "description": 1,
        "caption": 1,
        "prompt": 1,
    }
    assert answer["cost"] == execution["creditsCost"] == CREDITS_OF_IMAGES + 3
    assert answer["cost"] < schema["estimatedCreditCost"]
    assert (row["id"], row["creditsCost"]) == (answer["executionId"], answer["cost"])
    assert sorted(row["modelIds"]) == ["gpt-image", "gpt-mini"]
    assert 3 * 0.07 < row["cost"] < 3 * 0.07 + 3 * 0.001
    assert row["userCost"] == pytest.approx(row["cost"] * 1.2)
    assert stack.command("ledger", "check").returncode == 0


def test_a_photo_is_shown_to_the_model_that_describes(
    stack: RunningStack, opened: str, provider_url: str
) -> None:
    photo = io.BytesIO()
    Image.new("RGB", (32, 32), "blue").save(photo, "PNG")
    key = {"x-api-key": stack.key, "content-type": "image/png"}
    kept = httpx.post(f"{stack.url}/api/assets", content=photo.getvalue(), headers=key)

    result = run(stack, opened, **PRODUCT, photo=kept.json()["id"])["result"]

    assert result["description"] == "(stub) Blue steel kettle [1 image seen]"
    assert result["caption"] == "(stub) Blue steel kettle"
    assert result["prompt"] == result["description"]


def test_all_images_of_a_fan_are_asked_for_at_once(
    stack: RunningStack, fan: str, provider_url: str
) -> None:
    httpx.post(f"{provider_url}/stub/reset")

    answer = run(stack, fan, prompt="a cat [[stub delay=500]]")

    observed = httpx.get(f"{provider_url}/stub/calls").json()
    assert len(set(answer["result"]["images"])) == FAN
    assert observed["mostAtOnce"] == FAN, json.dumps(observed)[:500]


@pytest.mark.slow
def test_a_fan_of_images_takes_as_long_as_one(stack: RunningStack, fan: str) -> None:
    times = []
    for number in range(5):
        began = time.monotonic()
        answer = run(stack, fan, prompt=f"a cat, {number} [[stub delay=1000]]")
        times.append(time.monotonic() - began)
        assert len(answer["result"]["images"]) == FAN

    print(f"{FAN} images of 1 s over HTTP: {', '.join(f'{each:.2f}' for each in times)} s")
    assert sorted(times)[len(times) // 2] <= MAX_FAN_SECONDS
