"""Blocks of the guides, and a shell that runs them as printed against a stack."""

import re
import subprocess
import sys
from pathlib import Path

from tests.support.acceptance.running_stack import RunningStack, environment

ROOT = Path(__file__).parents[3]


def blocks(page: Path, language: str = "sh") -> list[str]:
    """Return the blocks of a page in one language, without the indent of a list."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", page.read_text("utf-8"), re.S | re.M)
    return [re.sub(f"^{indent}", "", block, flags=re.M) for indent, block in found]


class GuideShell:
    """Runs blocks of a page in a folder that looks like a clone with a stack."""

    def __init__(self, stack: RunningStack, folder: Path) -> None:
        (folder / ".venv").symlink_to(ROOT / ".venv")
        self._folder = folder
        self._environ = environment(
            HEADRACE_URL=stack.url,
            HEADRACE_API_KEY=stack.key,
            HEADRACE_DATA_DIR=str(stack.data_dir),
        )

    def run(self, block: str, **environ: str) -> str:
        """Run a block, which must succeed; return its output."""
        return self._done(["bash", "-euo", "pipefail", "-c", block], environ)

    def python(self, program: str, **environ: str) -> str:
        """Run a program, which must succeed; return its output."""
        return self._done([sys.executable, "-c", program], environ)

    def _done(self, command: list[str], environ: dict[str, str]) -> str:
        done = subprocess.run(
            command,
            cwd=self._folder,
            env=self._environ | environ,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, f"{command[-1]}: {done.stdout}{done.stderr}"
        return done.stdout
