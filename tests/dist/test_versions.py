"""Each place that names the version names the one of the project."""

import re
import tomllib
from pathlib import Path

from deploy.clients.typescript import build_client
from deploy.packaging.release.builder import read_version

ROOT = Path(__file__).parents[2]
VERSION = read_version(ROOT)
RELEASE = VERSION.partition(".dev")[0]
SECTION = re.compile(r"^## \[(\d\S*)\]", re.MULTILINE)
FILE_NAME = re.compile(r"headrace(?:_client|-deploy)?-(\d+\.\d+\.\d+)[-.]")
IMAGE = re.compile(r"(?:\bheadrace:|newTag: \"?)(\d+\.\d+\.\d+)")


def test_the_clients_have_the_version_of_the_server() -> None:
    client = ROOT / "deploy" / "clients" / "python" / "pyproject.toml"

    project = tomllib.loads(client.read_text(encoding="utf-8"))["project"]
    assert project["version"] == VERSION
    assert build_client.version() == build_client.npm_version(VERSION)


def test_a_released_version_has_the_newest_section_of_the_changelog() -> None:
    [newest, *_] = SECTION.findall((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))

    assert (newest == RELEASE) == (VERSION == RELEASE)


def test_files_of_deployment_and_guides_name_the_release_of_this_version() -> None:
    pages = (ROOT / "docs" / "operate").rglob("*.md")
    files = [path for path in (ROOT / "deploy").rglob("*") if path.suffix in (".yaml", ".service")]
    named = {
        (str(path.relative_to(ROOT)), version)
        for path in (*pages, *files)
        if "node_modules" not in path.parts
        for form in (FILE_NAME, IMAGE)
        for version in form.findall(path.read_text(encoding="utf-8"))
    }

    assert ("docs/operate/install.md", RELEASE) in named
    assert {(name, version) for name, version in named if version != RELEASE} == set()
