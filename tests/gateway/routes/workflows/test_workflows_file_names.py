"""Slugs with names that file systems reserve: a slug never names a file."""

import re
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.ids.slugs import MAX_SLUG, SLUG, numbered, slugify
from tests.support.gateway.documents import greeting
from tests.support.gateway.fake_worker import FakeWorker

WATCHERS: list[list[str]] = []
NAMES = [
    *("con", "CON", "nul", "aux.txt", "com1", "lpt9", "..", ".", "../../etc/passwd", "..%2f..%2fx"),
    *("/etc/passwd", "C:\\boot.ini", "\\\\host\\share", "a\x00b", "name.json", ".hidden", "~root"),
    *(
        "stream:$data",
        "trailing.",
        "trailing ",
        "ﬁle",
        "ΣΊΣΥΦΟΣ",
        "ı",
        "İ",
        "-",
        "--",
        "-rf",
        "'\"`$(",
    ),
]


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if event in ("open", "os.mkdir", "os.rename", "os.remove"):
        for watcher in WATCHERS:
            watcher.append(str(arguments[0]))


sys.addaudithook(_note)


@contextmanager
def watched_files() -> Iterator[list[str]]:
    """Return every file that this process opens or creates meanwhile."""
    opened: list[str] = []
    WATCHERS.append(opened)
    try:
        yield opened
    finally:
        WATCHERS.remove(opened)


def test_a_file_that_is_opened_would_be_seen(tmp_path: Path) -> None:
    with watched_files() as opened:
        (tmp_path / "con").write_text("")

    assert opened == [str(tmp_path / "con")]


@pytest.mark.A76
@given(st.text(max_size=200))
def test_a_slug_has_no_character_that_means_something_to_a_file_system(name: str) -> None:
    slug = slugify(name)

    assert SLUG.fullmatch(slug)
    assert slug == slug.casefold() == unicodedata.normalize("NFKC", slug)
    assert slug.strip("-") == slug


@given(st.text(max_size=200), st.integers(2, 10**9))
def test_a_numbered_slug_is_as_harmless_and_never_the_one_it_numbers(
    name: str, number: int
) -> None:
    slug = numbered(slugify(name), number)

    assert SLUG.fullmatch(slug) and len(slug) <= MAX_SLUG
    assert slug.endswith(f"-{number}")


@pytest.mark.A76
@pytest.mark.parametrize("name", NAMES)
async def test_a_workflow_of_any_name_lives_without_a_file(
    client: httpx2.AsyncClient, worker: FakeWorker, name: str
) -> None:
    with watched_files() as opened:
        saved = await client.post("/api/workflows", json=greeting(name))
        slug = saved.json()["slug"]
        path = f"/api/workflows/{slug}"
        answers = [
            await client.get(path),
            await client.get(f"{path}/schema"),
            await client.put(path, json={"description": "new"}),
            await client.post(f"{path}/run", json={"inputs": {"name": "Ada"}}),
            await client.delete(path),
        ]

    assert saved.status_code == 201
    assert saved.json()["name"] == name
    assert [each.status_code for each in answers] == [200] * 5
    assert [each for each in opened if slug in re.split(r"[/\\]", each.lower())] == []


@pytest.mark.A76
async def test_names_that_differ_in_case_alone_are_two_slugs(client: httpx2.AsyncClient) -> None:
    slugs = [
        (await client.post("/api/workflows", json=greeting(name))).json()["slug"]
        for name in ("Report", "report", "REPORT", "ｒｅｐｏｒｔ")
    ]

    assert slugs == ["report", "report-2", "report-3", "report-4"]


@pytest.mark.parametrize("slug", ["..", "%2e%2e", "..%2f..%2fetc%2fpasswd", "con.txt", "a%5cb"])
async def test_a_path_that_is_no_slug_reaches_nothing(
    client: httpx2.AsyncClient, slug: str
) -> None:
    with watched_files() as opened:
        answers = [
            await client.request(method, f"/api/workflows/{slug}{end}", json={"inputs": {}})
            for method, end in (("GET", ""), ("POST", "/run"), ("DELETE", ""))
        ]

    assert all(each.status_code in (400, 404, 405) for each in answers)
    assert [each for each in opened if "passwd" in each or "con.txt" in each] == []
