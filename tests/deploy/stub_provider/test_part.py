"""The stub provider in a stack: which providers it replaces, and the variables that say so."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from deploy.stub_provider.part import DEMO_KEY, DEMO_URL, DemoProvider
from engine.models.availability import WorkerVariables, set_variables
from engine.models.registry import shipped_models

Prepare = Callable[..., DemoProvider]
OPENAI_MODELS = {
    *("gpt", "gpt-mini", "gpt-image", "text-embedding"),
    *("gpt-transcribe", "gpt-speech"),
}


@pytest.fixture
def prepare() -> Iterator[Prepare]:
    with ExitStack() as reserved:

        def make(**environ: str) -> DemoProvider:
            provider = DemoProvider.prepare(environ)
            reserved.enter_context(provider.reserved)
            return provider

        yield make


def demo_models(provider: DemoProvider, **environ: str) -> set[str]:
    """Return the shipped models that a worker with these variables asks the stub for."""
    variables = environ | provider.worker_environ
    found = set_variables(shipped_models(), variables, provider.url)
    workers = WorkerVariables(sets=[found])
    return {each.internal_name for each in shipped_models() if workers.is_demo(each)}


def test_it_replaces_every_provider_of_the_shipped_models(prepare: Prepare) -> None:
    provider = prepare()

    called = {each.internal_name for each in shipped_models() if each.call.endpoint}
    assert demo_models(provider) == called
    assert provider.real == ()
    assert provider.worker_environ[DEMO_URL] == provider.url
    assert set(provider.keys.values()) == {DEMO_KEY}


@pytest.mark.parametrize(
    ("name", "value", "real"),
    [
        ("OPENAI_API_KEY", "sk-real", OPENAI_MODELS),
        ("OPENAI_BASE_URL", "https://gateway.example/v1", OPENAI_MODELS),
        ("GEMINI_BASE_URL", "https://gateway.example", {"nano-banana", "gemini-flash"}),
        ("HEADRACE_LOCAL_MODEL_URL", "http://10.0.0.7:8801/v1", {"local-text"}),
    ],
)
def test_a_provider_that_is_set_up_stays_the_real_one(
    prepare: Prepare, name: str, value: str, real: set[str]
) -> None:
    provider = prepare(**{name: value})

    assert provider.real == (name,)
    assert not demo_models(provider, **{name: value}) & real
    assert demo_models(prepare()) - demo_models(provider, **{name: value}) == real
    assert name not in provider.worker_environ


def test_a_variable_without_a_value_sets_nothing_up(prepare: Prepare) -> None:
    assert prepare(OPENAI_API_KEY=" ").real == ()


def test_gateways_get_the_addresses_and_no_key(prepare: Prepare) -> None:
    provider = prepare()

    assert provider.gateway_environ == {DEMO_URL: provider.url, **provider.addresses}
    assert all(value.startswith(provider.url) for value in provider.gateway_environ.values())


def test_its_program_is_the_command_at_the_port_that_is_held(prepare: Prepare) -> None:
    provider = prepare()

    command = provider.part(2).command

    port = provider.url.rpartition(":")[2]
    assert command[-6:] == ("deploy", "stub-provider", "--host", "127.0.0.1", "--port", port)


async def test_it_is_not_serving_before_it_is_started(prepare: Prepare) -> None:
    assert not await prepare().is_serving()
