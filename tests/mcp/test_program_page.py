"""The page on programs: its program in TypeScript runs as printed."""

import subprocess
from pathlib import Path

import pytest

from tests.mcp.installed import NODE, install, node_environ
from tests.support.acceptance.running_stack import ONE_WORKER, running
from tests.support.guides.guide_shell import ROOT, blocks

PAGE = ROOT / "docs" / "how-to" / "mcp" / "program.md"
SECONDS = 90

pytestmark = pytest.mark.slow


def test_the_program_in_typescript_lists_and_calls_workflows(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    [block] = blocks(PAGE, "ts")
    folder = install(tmp_path)
    (folder / "program.ts").write_text(block, encoding="utf-8")

    with running(tmp_path_factory.mktemp("called"), "--demo-provider", *ONE_WORKER) as stack:
        access = {"HEADRACE_URL": stack.url, "HEADRACE_API_KEY": stack.key}
        done = subprocess.run(
            (*NODE, "program.ts"),
            cwd=folder,
            env=node_environ() | access,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )

    assert done.returncode == 0, done.stderr
    assert "greeting-letter - " in done.stdout
    assert "Dear Ada," in done.stdout
