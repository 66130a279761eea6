"""Fixtures: the installation at HEADRACE_URL with the key HEADRACE_API_KEY, or a new stack.

The tests start a stack if no address is set. Tests that need its administration then run too.
"""

import os
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.support.acceptance.running_stack import RunningStack, running
from tests.support.contract.installation import (
    ALL,
    Administration,
    Caller,
    asking,
    cleaned,
    open_client,
)
from tests.support.http.providers import ENDPOINT, JOB, MODEL_KEYS, stub_provider
from tests.support.http.target import Stub, stub_server
from tests.support.manifests import PROMPT, field, manifest

URL = os.environ.get("HEADRACE_URL", "").rstrip("/")
KEY = os.environ.get("HEADRACE_API_KEY", "")
OWN = {"administration", "stub", "stack"}
"""Fixtures that need a stack of the tests' own."""
PATIENCE = 300
"""Seconds for a test whose calls may have to wait for the next window of a rate limit."""
LEFT_OUT = pytest.StashKey[int]()
CHAT = manifest("contract-chat", call=f"[openai]{ENDPOINT}model = 'any'\n")
TOKENS = '[[pricing]]\nunit = "input_token"\nusd = "0.00001"\natMost = 1000\n'
READING = PROMPT + field("jsonSchema", "json")
READER, WRITER = (
    manifest(name, fields=fields, pricing=TOKENS, call=f"[openai]{ENDPOINT}model = 'any'\n")
    for name, fields in (
        ("contract-reader", READING + field("file", "file")),
        ("contract-writer", READING),
    )
)
PAINTER = manifest("contract-painter", category="image", call=f"[http]{ENDPOINT}{JOB}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[Any]) -> None:
    if not URL:
        return
    if not KEY:
        raise pytest.UsageError("HEADRACE_URL needs HEADRACE_API_KEY beside it")
    ours = [item for item in items if "tests/contract/" in item.nodeid]
    left_out = [item for item in ours if OWN & set(item.fixturenames)]
    for item in ours:
        item.add_marker(pytest.mark.timeout(PATIENCE))
    items[:] = [item for item in items if item not in left_out]
    config.stash[LEFT_OUT] = len(left_out)
    config.hook.pytest_deselected(items=left_out)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    count = config.stash.get(LEFT_OUT, 0)
    if count:
        terminalreporter.write_line(
            f"{URL}: {count} tests were left out, which need a second account, a browser session, "
            "another tier or a server that is called; without HEADRACE_URL they run too."
        )


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    folder = tmp_path_factory.mktemp("contract")
    models = tmp_path_factory.mktemp("models")
    (models / "chat.toml").write_text(CHAT)
    (models / "painter.toml").write_text(PAINTER)
    (models / "reader.toml").write_text(READER)
    (models / "writer.toml").write_text(WRITER)
    with stub_provider() as url:
        settings = {
            "HEADRACE_ALLOW_PRIVATE_URLS": "1",
            "HEADRACE_WEBHOOK_TIME_SCALE": "0.00001",
            "HEADRACE_MODELS_DIR": str(models),
            "PROVIDER_URL": f"{url}/v1",
            **MODEL_KEYS,
        }
        with running(folder, "--no-demo", "--gateways", "2", **settings) as started:
            yield started


@pytest.fixture
def chat(stack: RunningStack) -> str:
    """A model that streams its text."""
    return "contract-chat"


@pytest.fixture
def reader(stack: RunningStack) -> str:
    """A model that takes PDFs, priced by tokens, at most 1,000 of a PDF."""
    return "contract-reader"


@pytest.fixture
def writer(stack: RunningStack) -> str:
    """A model of the same prices that takes none."""
    return "contract-writer"


@pytest.fixture
def painter(stack: RunningStack) -> str:
    """A model whose pictures are jobs."""
    return "contract-painter"


@pytest.fixture(scope="session")
def administration(stack: RunningStack) -> Iterator[Administration]:
    made = Administration(stack)
    yield made
    made.close()


@pytest.fixture(scope="module")
def api_access(request: pytest.FixtureRequest) -> tuple[str, str]:
    """The address of the API, and a key that may do everything.

    Each module has an account of its own: together they save more than 1,000 workflows.
    """
    if URL:
        return URL, KEY
    administration: Administration = request.getfixturevalue("administration")
    account = administration.account("business")
    return administration.url, administration.key(account, *ALL, "model:*")


@pytest.fixture(scope="module")
def module_client(api_access: tuple[str, str]) -> Iterator[httpx2.Client]:
    url, key = api_access
    with open_client(url, {"x-api-key": key}) as client:
        yield client


@pytest.fixture
def caller(module_client: httpx2.Client) -> Iterator[Caller]:
    yield from cleaned(Caller(module_client))


@pytest.fixture
def anonymous(api_access: tuple[str, str]) -> Iterator[httpx2.Client]:
    """A client without a key."""
    with open_client(api_access[0], {}) as client:
        yield client


@pytest.fixture(scope="session")
def stranger(administration: Administration) -> Caller:
    """A client of another account."""
    return administration.caller("business")


@pytest.fixture(scope="session")
def browser_account(administration: Administration) -> str:
    return administration.account("business")


@pytest.fixture
def browser(administration: Administration, browser_account: str) -> Iterator[Caller]:
    yield from cleaned(administration.browser(browser_account))


@pytest.fixture
def admin(administration: Administration) -> Iterator[Caller]:
    """A browser of an admin, who may have saved the model `contract-own`."""
    admin = administration.browser(administration.account("business", role="admin"))
    yield admin
    admin.delete("/api/models/contract-own")


@pytest.fixture(scope="session")
def session_stub() -> Iterator[Stub]:
    with stub_server() as started:
        yield started


@pytest.fixture
def stub(session_stub: Stub) -> Stub:
    session_stub.requests.clear()
    return session_stub


@pytest.fixture
def streaming_workflow(caller: Caller, chat: str) -> str:
    """A saved workflow whose model streams."""
    return caller.save(asking(chat))
