"""The files of the manifests by themselves, without a tool: each release must change them."""

import re
from pathlib import Path

import pytest
import yaml

from tests.support.kubernetes.manifests import FOLDER, ROOT

FILES = sorted(path for path in FOLDER.rglob("*.yaml"))
KUSTOMIZATIONS = [path for path in FILES if path.name == "kustomization.yaml"]


def version() -> str:
    """Return the version of this release, without what marks it as unfinished."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    found = re.search(r'^version = "(\d+\.\d+\.\d+)', text, re.MULTILINE)
    assert found is not None
    return found[1]


def test_images_and_the_job_have_the_version_of_this_release() -> None:
    page = ROOT / "docs" / "operate" / "kubernetes.md"
    text = "\n".join(path.read_text(encoding="utf-8") for path in (*FILES, page))

    assert set(re.findall(r"image: headrace:(\S+)", text)) == {version()}
    assert set(re.findall(r"newTag: (\S+)", text)) == {version()}
    named = set(re.findall(r"headrace-migrate-(\d[\d-]*\d)", text))
    assert named == {version().replace(".", "-")}


@pytest.mark.parametrize("path", KUSTOMIZATIONS, ids=lambda path: path.parent.name)
def test_a_kustomization_names_each_file_of_its_folder(path: Path) -> None:
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    named = {each for each in found["resources"] if each.endswith(".yaml")}
    named |= {each["path"] for each in found.get("patches", ())}

    assert named == {each.name for each in path.parent.glob("*.yaml")} - {path.name}


def test_secrets_of_an_operator_are_never_committed() -> None:
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()

    assert "/deploy/kubernetes/**/headrace.env" in ignored
    for path in KUSTOMIZATIONS:
        for each in yaml.safe_load(path.read_text(encoding="utf-8")).get("secretGenerator", ()):
            assert each["envs"] == ["headrace.env"]
