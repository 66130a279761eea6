"""Installation hints, which must not name the foreign package `headrace`."""

import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from engine.process import extras
from engine.process.extras import install_hint

ROOT = Path(__file__).parents[3]
FOLDERS = ("engine", "gateway", "workers", "deploy", "docs", "examples", "tests")
TEXTS = {".md", ".py", ".toml", ".json", ".yml", ".html", ".sh", ".svg", ".lua"}
FROM_AN_INDEX = re.compile(
    r"\bpip3?\s+install(?:\s+-\S+)*[\s'\"]+headrace(?![\w.-])", re.IGNORECASE
)


def written() -> Iterator[Path]:
    """Return the files with texts for users."""
    yield from (path for path in ROOT.iterdir() if path.suffix in TEXTS or path.name == "Makefile")
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in TEXTS and path != Path(__file__):
                yield path


@pytest.mark.parametrize(
    ("text", "is_from_an_index"),
    [
        ("pip install headrace", True),
        ("pip install 'headrace[local-ocr]'", True),
        ("`pip install --upgrade headrace`", True),
        (".venv/bin/pip install -e '.[local-ocr]'", False),
        ("pip install './headrace-0.1.0-py3-none-any.whl[local-ocr]'", False),
        ("pip install ./dist/headrace-*.whl` and then `headrace up`", False),
    ],
)
def test_an_installation_from_an_index_is_told_from_one_of_a_clone_or_a_wheel(
    text: str, is_from_an_index: bool
) -> None:
    assert bool(FROM_AN_INDEX.search(text)) is is_from_an_index


def test_no_page_message_or_test_tells_people_to_install_a_package_that_is_not_ours() -> None:
    files = list(written())
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in files
        for match in FROM_AN_INDEX.finditer(path.read_text(errors="replace"))
    ]

    assert found == []
    assert {path.name for path in files} >= {"README.md", "Makefile", "local-models.md", "ocr.py"}


def test_a_clone_is_told_the_command_that_adds_an_extra_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.setattr(extras, "ROOT", tmp_path)
    monkeypatch.setattr("sys.prefix", str(tmp_path / ".venv"))

    inside = install_hint("local", "local-model")
    monkeypatch.setattr("sys.prefix", "/elsewhere")
    outside = install_hint("local-ocr")

    assert inside == ".venv/bin/pip install -e '.[local,local-model]' (in the clone of Headrace)"
    assert outside == "pip install -e '.[local-ocr]' (in the clone of Headrace)"


def test_an_installed_wheel_is_told_to_be_installed_with_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extras, "ROOT", tmp_path)
    version = metadata.version("headrace")

    hint = install_hint("local-ocr")

    assert hint == (
        f"pip install './headrace-{version}-py3-none-any.whl[local-ocr]' "
        "(the wheel that Headrace was installed from)"
    )


def test_the_hint_names_no_folder_of_this_machine() -> None:
    assert str(ROOT) not in install_hint("local-ocr")
