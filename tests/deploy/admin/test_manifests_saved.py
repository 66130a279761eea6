"""`headrace model` beside a stack with saved models."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from deploy.commands.models import model
from deploy.stack.store_access import open_store
from engine.models.registry import use_folder, use_saved
from engine.settings import Settings
from tests.support.manifests import manifest
from tests.support.workers.leases import beat

LOUD = '[builtin]\ntemplate = "{{ prompt }}!"\n'
KEYED = '[openai]\nbase_url = "https://a.example/v1"\nmodel = "m"\napi_key_env = "A_KEY"\n'


@pytest.fixture(autouse=True)
def stack(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("HEADRACE_REDIS_URL", settings.redis_url)
    monkeypatch.setenv("HEADRACE_SECRET_KEY", settings.secret_key)
    yield
    use_saved(())
    use_folder("")


def save(settings: Settings, name: str, text: str) -> None:
    async def work() -> None:
        async with open_store(settings.redis_url) as store:
            await store.models.create(name, text, "acc_root")

    asyncio.run(work())
    use_saved(())


def command(*words: str) -> Result:
    return CliRunner().invoke(model, list(words))


def listed(done: Result) -> dict[str, str]:
    return {row["internalName"]: row["tierRequired"] for row in json.loads(done.stdout)}


def test_saved_models_are_listed_before_those_on_disk(settings: Settings) -> None:
    save(settings, "own", manifest("own", tier="pro"))
    save(settings, "echo", manifest("echo", tier="business"))

    done = command("list", "--json")

    found = listed(done)
    assert (found["own"], found["echo"]) == ("pro", "business")
    assert done.stderr == ""


def test_a_saved_model_is_tried(settings: Settings) -> None:
    save(settings, "own", manifest("own", call=LOUD))

    done = command("try", "own", "-i", "prompt=cats", "--json")

    assert json.loads(done.stdout)["result"] == "cats!"


def test_saved_models_that_do_not_count_here_are_named_with_the_reason(settings: Settings) -> None:
    save(settings, "keyed", manifest("keyed", call=KEYED))
    save(settings, "later", manifest("later", head="colour = 1"))

    done = command("list", "--json")

    assert not {"keyed", "later"} & set(listed(done))
    reported = sorted(done.stderr.splitlines())
    assert reported[0].startswith(
        "The saved model 'keyed' is left out: openai.api_key_env: no manifest"
    )
    assert reported[1].startswith("The saved model 'later' is left out: colour is unknown; known: ")


def test_a_folder_that_is_named_counts_in_place_of_the_stacks(
    settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "keyed.toml").write_text(manifest("file", call=KEYED))
    save(settings, "keyed", manifest("keyed", call=KEYED))

    done = command("list", "--models-dir", str(tmp_path), "--json")

    assert {"file", "keyed"} <= set(listed(done))


def test_a_model_says_which_variable_no_worker_of_the_stack_has(
    settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "keyed.toml").write_text(manifest("keyed", call=KEYED))

    def reason() -> str | None:
        done = command("list", "--models-dir", str(tmp_path), "--json")
        rows = {row["internalName"]: row for row in json.loads(done.stdout)}
        assert rows["echo"]["available"]
        assert rows["keyed"]["available"] is (rows["keyed"]["unavailableReason"] is None)
        reported: str | None = rows["keyed"]["unavailableReason"]
        return reported

    async def renew(*variables: str) -> None:
        async with open_store(settings.redis_url) as store:
            await beat(store, "w1", 60_000, variables)

    assert reason() == "No worker is running"
    asyncio.run(renew())
    assert reason() == "The provider's key is not set up: set A_KEY and start the workers again"
    asyncio.run(renew("A_KEY"))
    assert reason() is None


def test_a_redis_that_does_not_answer_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_REDIS_URL", "redis://127.0.0.1:1/0")

    done = command("list", "--json")

    assert done.exit_code == 0
    assert done.stderr.startswith("Models that were saved over HTTP are left out. The Redis of")
