"""Availability of models, by the variables set in workers."""

import pytest

from engine.models import availability
from engine.models.availability import (
    WorkerVariables,
    needed_variables,
    no_extra,
    set_variables,
)
from engine.models.manifest import Model
from engine.models.registry import find_model
from engine.process.extras import EMBEDDINGS, SPEECH, install_hint
from tests.support.manifests import model

KEYED = '[openai]\nbase_url = "https://a.example/v1"\nmodel = "m"\napi_key_env = "A_KEY"\n'
MOVED = '[openai]\nbase_url = "https://a.example/v1"\nbase_url_env = "A_URL"\nmodel = "m"\n'
FOUND = (
    '[openai]\nbase_url_env = "A_URL"\nmodel = "m"\napi_key_env = "A_KEY"\n'
    'setup = "Start the model first"\n'
)


def reason(found: Model, *sets: set[str], names_variables: bool = False) -> str | None:
    workers = WorkerVariables(
        sets=[frozenset(each) for each in sets], names_variables=names_variables
    )
    return workers.unavailable_reason(found)


@pytest.mark.parametrize(
    ("call", "needed"),
    [("", set()), (KEYED, {"A_KEY"}), (MOVED, set()), (FOUND, {"A_KEY", "A_URL"})],
)
def test_a_model_needs_its_key_and_an_address_that_only_a_variable_says(
    call: str, needed: set[str]
) -> None:
    assert needed_variables(model(call=call) if call else model()) == needed


def test_one_worker_that_has_all_is_enough() -> None:
    found = model(call=FOUND)

    assert reason(found, set(), {"A_KEY", "A_URL"}) is None
    assert reason(found, {"A_URL"}, {"A_KEY"}) is not None


def test_a_model_that_needs_no_provider_is_available_without_a_worker() -> None:
    assert reason(model()) is None


@pytest.mark.parametrize(
    ("name", "extra", "presence"),
    [
        ("local-embedding", EMBEDDINGS, "has_embeddings"),
        ("local-transcription", SPEECH, "has_speech"),
        ("local-speech", SPEECH, "has_speech"),
    ],
)
def test_a_model_that_runs_here_needs_its_extra_in_a_worker(
    name: str, extra: str, presence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = find_model(name)
    assert found is not None

    assert reason(found, set()) == no_extra(extra)
    assert install_hint(extra) in no_extra(extra)
    assert reason(found, set(), {extra}) is None
    for is_installed, published in ((True, {extra}), (False, set())):
        monkeypatch.setattr(availability, presence, lambda found=is_installed: found)
        assert set_variables([found, model()], {}) == published


def test_a_model_is_a_demo_where_its_address_is_below_that_of_the_demo_provider() -> None:
    moved = model(call=MOVED.replace("[openai]\n", '[openai]\napi_key_env = "A_KEY"\n'))
    url = "http://127.0.0.1:8800"

    def is_demo(**environ: str) -> bool:
        found = set_variables([moved, model()], {"A_KEY": "demo", **environ}, url)
        workers = WorkerVariables(sets=[found])
        assert not workers.is_demo(model())
        return workers.is_demo(moved)

    assert is_demo(A_URL=f"{url}/v1")
    assert is_demo(A_URL=url)
    for other in ("", "https://a.example/v1", f"{url}1/v1"):
        assert not is_demo(A_URL=other)
    assert not is_demo(A_URL=url, A_KEY="")


def test_without_a_worker_that_is_the_reason() -> None:
    assert reason(model(call=KEYED)) == "No worker is running"


def test_the_reason_names_a_variable_only_to_those_who_can_set_it() -> None:
    keyed, found = model(call=KEYED), model(call=FOUND)

    assert reason(keyed, set()) == "The provider's key is not set up"
    assert reason(found, {"A_KEY"}) == "The provider's address is not set up"
    sentence = "The provider's key is not set up: set A_KEY and start the workers again"
    assert reason(keyed, set(), names_variables=True) == sentence
    assert reason(found, {"A_URL"}, names_variables=True) == sentence
    assert reason(found, {"A_KEY"}, names_variables=True) == "Start the model first"


def test_only_variables_that_models_need_and_that_hold_something_count_as_set() -> None:
    models = [model(call=KEYED), model(call=FOUND)]

    found = set_variables(models, {"A_KEY": "x", "A_URL": " ", "HEADRACE_SECRET_KEY": "y"})

    assert found == {"A_KEY"}


def test_models_that_ship_need_what_their_pages_say() -> None:
    names = ("echo", "local-text", "gpt", "claude-haiku")

    found = [find_model(name) for name in names]

    needed = [set(needed_variables(each)) if each else None for each in found]
    expected = [set(), {"HEADRACE_LOCAL_MODEL_URL"}, {"OPENAI_API_KEY"}, {"ANTHROPIC_API_KEY"}]
    assert needed == expected
