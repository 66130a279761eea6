"""A stack, and Debian's Chromium signed in to it; a page that complains fails its test."""

import importlib.util
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from deploy.stack.location import read_private
from tests.support.acceptance.running_stack import ONE_WORKER, RunningStack, running
from tests.support.http.providers import ENDPOINT, JOB, MODEL_KEYS, stub_provider
from tests.support.manifests import field, manifest

HAS_PLAYWRIGHT = importlib.util.find_spec("playwright") is not None
if TYPE_CHECKING or HAS_PLAYWRIGHT:
    from playwright.sync_api import (
        Browser,
        BrowserContext,
        ConsoleMessage,
        Page,
        expect,
        sync_playwright,
    )

    expect.set_options(timeout=15_000)
else:
    # `make e2e` installs what the tests import.
    collect_ignore_glob = ["*test_*.py"]

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS = 15_000
PAINTER = manifest("painter", category="image", call=f"[http]{ENDPOINT}{JOB}")
"""A model whose pictures are jobs."""
UNSET = """[http]
base_url = "https://example.com"
api_key_env = "UNSET_KEY"
path = "/"
result = "made"
"""
"""A provider whose key nothing sets."""
MakePage = Callable[..., "Page"]
SignIn = Callable[[str], "Page"]


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    folder = tmp_path_factory.mktemp("e2e")
    models = tmp_path_factory.mktemp("models")
    (models / "painter.toml").write_text(PAINTER)
    script = field("script", more="required = true")
    far_video = manifest("far-video", category="video", fields=script, call=UNSET)
    (models / "far-text.toml").write_text(manifest("far-text", call=UNSET))
    (models / "far-video.toml").write_text(far_video)
    options = (*ONE_WORKER, "--demo-provider")
    with stub_provider() as url:
        settings = {
            "HEADRACE_ALLOW_PRIVATE_URLS": "1",
            "HEADRACE_TRACE_URL": "https://traces.example/trace/{traceId}",
            "HEADRACE_MODELS_DIR": str(models),
            "PROVIDER_URL": f"{url}/v1",
            **MODEL_KEYS,
        }
        with running(folder, *options, **settings) as stack:
            stack.line("Stop ")
            yield stack


@pytest.fixture(scope="session")
def chromium() -> Iterator["Browser"]:
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("NO BROWSER TESTS: there is no chromium here (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def sign_in_link(stack: RunningStack) -> Callable[[], str]:
    """Make links that sign in to the account of the demonstration."""
    account = read_private(stack.data_dir / "demo.json")["accountId"]
    return lambda: stack.command("login-link", "--account", account).stdout.split()[0]


@pytest.fixture(scope="session")
def signed_in(
    chromium: "Browser", sign_in_link: Callable[[], str], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The cookies of a browser that is signed in."""
    state = tmp_path_factory.mktemp("browser") / "state.json"
    context = chromium.new_context()
    context.new_page().goto(sign_in_link())
    context.storage_state(path=state)
    context.close()
    return state


@pytest.fixture
def complaints() -> list[str]:
    """Messages in the console and refusals by the policy of pages; a test may clear them."""
    return []


@pytest.fixture
def make_page(
    chromium: "Browser", stack: RunningStack, complaints: list[str]
) -> Iterator[MakePage]:
    """Open pages, of visitors by default. Afterwards, none may have complained."""
    contexts: list[BrowserContext] = []

    def hear(message: "ConsoleMessage") -> None:
        complaints.append(f"{message.type}: {message.text} ({message.location['url']})")

    def make(state: Path | None = None, **options: object) -> "Page":
        options = {"base_url": stack.url, **options}
        context = chromium.new_context(storage_state=state, **options)
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("console", hear)
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("request", lambda request: _check_host(request.url, stack.url, complaints))
        return page

    yield make
    for context in contexts:
        context.close()
    assert complaints == []


def _check_host(url: str, own: str, complaints: list[str]) -> None:
    if not url.startswith((own, "data:", "blob:")):
        complaints.append(f"another host was asked: {url}")


@pytest.fixture
def page(make_page: MakePage, signed_in: Path) -> "Page":
    """A page of the signed-in account."""
    return make_page(signed_in)


@pytest.fixture
def visitor(make_page: MakePage) -> "Page":
    """A page of a visitor."""
    return make_page()


@pytest.fixture
def sign_in_as(stack: RunningStack, visitor: "Page") -> SignIn:
    """Sign a browser in to a new account of a tier."""

    def sign_in(tier: str) -> "Page":
        options = ("--email", f"{uuid4().hex}@example.com", "--tier", tier, "--json")
        created = stack.command("account", "create", *options).stdout
        account = json.loads(created)["id"]
        visitor.goto(stack.command("login-link", "--account", account).stdout.split()[0])
        return visitor

    return sign_in
