"""A local stack names the variable of a model's missing key in every place."""

from pathlib import Path

from tests.support.acceptance.commands import json_of
from tests.support.acceptance.running_stack import ONE_WORKER, RunningStack, running, until
from tests.support.manifests import manifest

KEYED = '[openai]\nbase_url = "https://a.example/v1"\nmodel = "m"\napi_key_env = "A_KEY"\n'
TOLD = "The provider's key is not set up: set A_KEY and start the workers again"


def test_a_model_without_its_key_says_so(tmp_path: Path) -> None:
    models = tmp_path / "models"
    models.mkdir()
    (models / "keyed.toml").write_text(manifest("keyed", call=KEYED))
    with running(tmp_path, *ONE_WORKER, HEADRACE_MODELS_DIR=str(models)) as stack:
        until(lambda: reason(stack) == TOLD)
        (listed,) = [
            row for row in json_of(stack, "model", "list") if row["internalName"] == "keyed"
        ]
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
