"""Kustomize builds the manifests of Kubernetes, and the schemas of Kubernetes accept them."""

import subprocess
from pathlib import Path

import pytest

from tests.support.compose.compose_file import find_tool
from tests.support.kubernetes.manifests import ENVIRONMENTS, FOLDER, build

pytestmark = pytest.mark.slow
PLACES = sorted(ENVIRONMENTS)
VERSIONS = ("1.30", "1.32", "1.34", "1.37")
"""The oldest that docs/operate/kubernetes.md names, and newer ones."""
OF_OTHERS = ("ScaledObject", "ServiceMonitor", "PodMonitor", "PrometheusRule")
"""Kinds that Kubernetes has no schema of; test_kubernetes_autoscaling.py looks at them."""
RULES = "{extends: default, rules: {line-length: {max: 120}, document-start: disable}}"


def run(name: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the environment or the system; skip where neither has it."""
    tool = find_tool(name)
    if tool is None:
        pytest.skip(f"there is no {name} here; `make manifests` installs it")
    return subprocess.run([tool, *words], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module", params=PLACES)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if find_tool("kustomize") is None:
        pytest.skip("there is no kustomize here; `make manifests` installs it")
    return build(request.param, tmp_path_factory.mktemp("built"))


@pytest.mark.parametrize("version", VERSIONS)
def test_the_schemas_of_kubernetes_accept_each_object(built: Path, version: str) -> None:
    done = run("kubernetes-validate", "--strict", "-k", version, str(built))

    said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    others = [line for line in said if not line.startswith("INFO") or "passed" not in line]
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line for line in others if not any(f"kind {kind} " in line for kind in OF_OTHERS)] == []
    assert len(said) - len(others) > 10


def test_a_wrong_member_is_refused(built: Path) -> None:
    text = built.read_text().replace("failureThreshold: 120", "failureTreshold: 120")
    wrong = built.with_suffix(".wrong.yaml")
    wrong.write_text(text)

    done = run("kubernetes-validate", "--strict", str(wrong))

    assert done.returncode != 0
    assert "failureTreshold" in done.stdout + done.stderr


def test_kubectl_makes_the_same_of_the_folder(built: Path) -> None:
    place = built.parent / "kubernetes" / built.stem.replace("overlays-", "overlays/")

    done = run("kubectl", "kustomize", str(place))

    assert done.returncode == 0, done.stderr
    assert done.stdout == built.read_text()


def test_the_files_are_written_as_yaml_should_be() -> None:
    done = run("yamllint", "--strict", "-d", RULES, str(FOLDER))

    assert (done.returncode, done.stdout) == (0, "")
