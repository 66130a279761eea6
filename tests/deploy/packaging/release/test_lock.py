"""The versions of a release fit the dependencies that the project declares."""

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy.packaging.release.lock import CONSTRAINTS, EXTRAS, HEADER, ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PINNED = re.compile(r"([a-z0-9._-]+)==([0-9a-z.+]+)")


def locked(root: Path) -> dict[str, str]:
    text = (root / CONSTRAINTS).read_text(encoding="utf-8")
    assert text.startswith(HEADER)
    lines = text.removeprefix(HEADER).splitlines()
    found = [match for line in lines if (match := PINNED.fullmatch(line))]
    assert len(found) == len(lines)
    return {canonicalize_name(match[1]): match[2] for match in found}


def test_each_dependency_is_locked_to_a_version_that_the_project_allows() -> None:
    versions = locked(ROOT)
    extras = PROJECT["optional-dependencies"]
    locked_extras = [text for name in EXTRAS.strip("[]").split(",") for text in extras[name]]

    for text in (*PROJECT["dependencies"], *locked_extras):
        needed = Requirement(text)
        assert needed.specifier.contains(versions[canonicalize_name(needed.name)]), text
