"""A local stack whose models are not all in order says so, and runs on."""

from collections.abc import Iterator

import pytest

from deploy.admin.examples import example_documents, template_documents
from tests.support.acceptance.commands import json_of
from tests.support.acceptance.running_stack import ONE_WORKER, RunningStack, running, until
from tests.support.manifests import manifest

KEYED = '[openai]\nbase_url = "https://a.example/v1"\nmodel = "m"\napi_key_env = "A_KEY"\n'
TOLD = "The provider's key is not set up: set A_KEY and start the workers again"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """A stack with a model that lacks its key, and without the one of pictures."""
    folder = tmp_path_factory.mktemp("models")
    off = manifest("gpt-image", category="image", head="enabled = false\n")
    (folder / "off.toml").write_text(off)
    (folder / "keyed.toml").write_text(manifest("keyed", call=KEYED))
    with running(folder, *ONE_WORKER, HEADRACE_MODELS_DIR=str(folder)) as started:
        started.line("Dear Ada")
        yield started


def test_a_model_without_its_key_says_so(stack: RunningStack) -> None:
    until(lambda: reason(stack) == TOLD)
    (listed,) = [row for row in json_of(stack, "model", "list") if row["internalName"] == "keyed"]
    report = stack.command("doctor").stdout
    path, body = "/api/models/keyed/run", {"inputs": {"prompt": "x"}}
    status, answer = stack.api("POST", path, body, key=stack.key)

    assert (listed["available"], listed["unavailableReason"]) == (False, TOLD)
    assert " A_KEY (keyed)" in report
    assert (status, answer["reason"]) == (500, TOLD)


def reason(stack: RunningStack) -> str | None:
    status, rows = stack.api("GET", "/api/models", key=stack.key)
    assert status == 200
    return next(row["unavailableReason"] for row in rows if row["internalName"] == "keyed")


def test_an_example_whose_models_are_not_here_is_a_draft_and_the_others_are_there(
    stack: RunningStack,
) -> None:
    _, workflows = stack.api("GET", "/api/workflows")
    refused, answer = stack.api("POST", "/api/workflows/product-pictures/run", {"inputs": {}})
    status, _ = stack.api("POST", "/api/workflows/ask-a-model/run", {"inputs": {}})

    assert len(workflows) == len(example_documents()) + len(template_documents())
    assert (refused, answer["code"]) == (409, "WORKFLOW_NOT_RUNNABLE")
    [problem] = answer["problems"]
    assert problem["nodeId"] == "pictures"
    assert status == 200
