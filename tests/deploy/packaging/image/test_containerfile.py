"""The Containerfile and the files of its context."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
PACKAGING = ROOT / "deploy" / "packaging"
TEXT = (PACKAGING / "Containerfile").read_text(encoding="utf-8")


def ignored() -> set[str]:
    """Return the names that the context of the build has in spite of the rest being left out."""
    lines = (PACKAGING / "Containerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    return {line[1:] for line in lines if line.startswith("!")}


def in_context(path: str) -> bool:
    """Return whether the context has a file. The last pattern of it or of a folder of it counts."""
    has = True
    parts = path.split("/")
    places = ["/".join(parts[: end + 1]) for end in range(len(parts))]
    for line in (PACKAGING / "Containerfile.dockerignore").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            pattern = line.removeprefix("!")
            regex = re.escape(pattern).replace(r"\*\*/", "(.*/)?").replace(r"\*", "[^/]*")
            if any(re.fullmatch(regex, place) for place in places):
                has = line.startswith("!")
    return has


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        "deploy/.env",
        "deploy/.env.old",
        "deploy/.headrace/secret.key",
        "deploy/compose.override.yaml",
        "deploy/kubernetes/overlays/single-node/headrace.env",
        "examples/.headrace/redis/dump.rdb",
    ],
)
def test_secrets_of_an_installation_are_not_in_the_context(path: str) -> None:
    assert in_context("deploy/cli.py")
    assert in_context("deploy/packaging/image/make_root.py")
    assert not in_context(path)


def test_files_that_are_copied_are_in_the_context() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", TEXT, re.MULTILINE)
    names = {name for words in copied for name in words.split()}

    assert names
    for name in names:
        assert (ROOT / name).exists()
        assert any(name == each or name.startswith(f"{each}/") for each in ignored()), name


def test_the_wheel_is_built_from_all_files_that_its_build_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {*wheel["packages"], *wheel["force-include"], project["project"]["readme"]}
    needed |= {name.removesuffix("/*") for name in project["project"]["license-files"]}

    assert needed - ignored() == set()


def test_the_last_stage_begins_from_nothing_and_is_not_root() -> None:
    last = TEXT[TEXT.rindex("\nFROM ") :]

    assert last.startswith("\nFROM scratch\n")
    assert "\nUSER 65532:65532\n" in last
    assert '\nENTRYPOINT ["tini", "-s", "--", "headrace"]\n' in last
    assert 'CMD ["headrace", "health"]' in last
    assert "\nVOLUME /data\n" in last
    assert not re.search(r"^RUN", last, re.MULTILINE)


def test_it_names_no_host() -> None:
    assert not re.search(r"https?://|\b[a-z0-9-]+\.(org|com|io|net)/", TEXT)


def test_it_is_as_the_checker_wants_it() -> None:
    hadolint = shutil.which("hadolint", path=str(ROOT / ".venv" / "bin"))
    if hadolint is None:
        pytest.skip("hadolint is not here: `make image` installs it")

    done = subprocess.run([hadolint, PACKAGING / "Containerfile"], capture_output=True, text=True)

    assert done.stdout == ""
