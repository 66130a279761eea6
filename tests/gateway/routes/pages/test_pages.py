"""The pages for people: the document, its files, and the page that stands in for them."""

import gzip
from pathlib import Path

import httpx2
import pytest

from gateway import page_files
from tests.gateway.conftest import MakeClient

INDEX = '<!doctype html><body data-session="none"><script src="/static/index-1.js"></script></body>'
SCRIPT = b"console.log(1)"
EXECUTION_ID = "0b0d1b3a-76f8-4b0a-a4c2-7a35ad1f25cf"
ACCOUNTS = [
    "/app/editor/greeting",
    "/app/executions",
    f"/app/executions/{EXECUTION_ID}",
    "/app/approvals",
    "/app/batches",
    "/app/replays",
    f"/app/replays/{EXECUTION_ID}",
    f"/app/batches/{EXECUTION_ID}",
    "/app/workflows/greeting-letter/releases",
    "/app/triggers",
    "/app/triggers/trg_5d2e81c0b7f4",
    "/app/usage",
    "/app/api/keys",
    "/app/models",
    "/app/models/gpt-mini",
    "/app/settings",
    "/app/admin",
]
EVERYONES = ["/", "/app/playground/greeting"]


@pytest.fixture(autouse=True)
def static(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder of the built pages, with a document and one script."""
    folder = tmp_path / "static"
    folder.mkdir()
    (folder / "index.html").write_text(INDEX)
    (folder / "index-1.js").write_bytes(SCRIPT)
    (folder / "index-1.js.gz").write_bytes(gzip.compress(SCRIPT))
    (folder / "sources.sha256").write_text("0")
    monkeypatch.setattr(page_files, "STATIC", folder)
    return folder


@pytest.fixture
def not_built(static: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages that could not be built."""
    monkeypatch.setattr(page_files, "STATIC", static / "missing")


@pytest.mark.parametrize("path", EVERYONES)
async def test_visitors_get_the_document_for_visitors(make_client: MakeClient, path: str) -> None:
    answer = await (await make_client()).get(path)

    assert (answer.status_code, answer.text) == (200, INDEX)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", EVERYONES + ACCOUNTS)
async def test_the_document_knows_that_the_browser_is_signed_in(
    browser: httpx2.AsyncClient, path: str
) -> None:
    answer = await browser.get(path)

    assert answer.text == INDEX.replace("none", "open")


async def test_no_script_or_style_but_our_own_may_run(make_client: MakeClient) -> None:
    policy = (await (await make_client()).get("/")).headers["content-security-policy"]

    parts = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert parts["default-src"] == parts["base-uri"] == parts["frame-ancestors"] == "'none'"
    assert parts["script-src"] == parts["style-src"] == parts["connect-src"] == "'self'"
    assert parts["img-src"] == "'self' blob: data:"
    assert parts["media-src"] == "'self' blob:"


async def test_the_microphone_is_for_our_own_pages_alone(make_client: MakeClient) -> None:
    answer = await (await make_client()).get("/")

    allowed = dict(each.split("=") for each in answer.headers["permissions-policy"].split(", "))
    assert allowed == {"camera": "()", "geolocation": "()", "microphone": "(self)"}


@pytest.mark.parametrize("path", ACCOUNTS)
async def test_visitors_sign_in_first_and_come_back(make_client: MakeClient, path: str) -> None:
    answer = await (await make_client()).get(f"{path}?key=hr_live_by_mistake")

    assert answer.status_code == 303
    assert answer.headers["location"] == f"/login?next={path}"


@pytest.mark.parametrize(
    ("page", "refusal"),
    [
        ("editor", (400, "INVALID_SLUG")),
        ("batches", (404, "BATCH_NOT_FOUND")),
        ("replays", (404, "REPLAY_NOT_FOUND")),
        ("connect", (404, "NOT_FOUND")),
        ("triggers", (404, "TRIGGER_NOT_FOUND")),
        ("executions", (404, "EXECUTION_NOT_FOUND")),
        ("models", (404, "MODEL_NOT_FOUND")),
    ],
)
async def test_the_way_back_repeats_no_text_that_is_no_slug_or_id(
    make_client: MakeClient, page: str, refusal: tuple[int, str]
) -> None:
    answer = await (await make_client()).get(f"/app/{page}/hr_live_by_mistake")

    assert (answer.status_code, answer.json()["code"]) == refusal
    assert "location" not in answer.headers


async def test_a_session_that_has_ended_is_a_visitors(browser: httpx2.AsyncClient) -> None:
    await browser.post("/logout", json={})

    assert (await browser.get("/")).text == INDEX
    assert (await browser.get("/app/api/keys")).status_code == 303


async def test_a_key_does_not_sign_in_to_pages(make_client: MakeClient, api_key: str) -> None:
    assert (await (await make_client(api_key)).get("/app/api/keys")).status_code == 303


async def test_the_other_address_of_the_dashboard_leads_to_it(make_client: MakeClient) -> None:
    answer = await (await make_client()).get("/app/settings/api-keys")

    assert (answer.status_code, answer.headers["location"]) == (303, "/app/api/keys")


@pytest.mark.parametrize(("accepted", "encoding"), [("br, gzip", "gzip"), ("identity", None)])
async def test_files_are_compressed_and_kept_by_browsers(
    make_client: MakeClient, accepted: str, encoding: str | None
) -> None:
    client = await make_client()

    answer = await client.get("/static/index-1.js", headers={"accept-encoding": accepted})

    assert (answer.status_code, answer.content) == (200, SCRIPT)
    assert answer.headers.get("content-encoding") == encoding
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["vary"] == "accept-encoding"


@pytest.mark.parametrize("name", ["missing.js", "sources.sha256", "index.html", "..%2Fapp.py"])
async def test_nothing_else_is_a_file_of_the_pages(make_client: MakeClient, name: str) -> None:
    assert (await (await make_client()).get(f"/static/{name}")).status_code == 404


@pytest.mark.usefixtures("not_built")
async def test_where_pages_could_not_be_built_a_plain_page_says_so(
    make_client: MakeClient,
) -> None:
    answer = await (await make_client()).get("/")

    assert answer.status_code == 200
    assert "The pages were not built" in answer.text
    assert 'href="/docs"' in answer.text
    assert "headrace login-link" in answer.text
