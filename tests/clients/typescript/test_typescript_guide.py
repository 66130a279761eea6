"""The guide of the TypeScript client: its programs run, and have types, as they are written."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.clients.typescript.build_client import COMPILER
from tests.clients.typescript.installed import NODE, install, run
from tests.support.acceptance.running_stack import ONE_WORKER, RunningStack, running

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[3]
PAGES = (
    ROOT / "docs" / "how-to" / "call" / "use-the-typescript-client.md",
    ROOT / "deploy" / "clients" / "typescript" / "README.md",
)
BLOCKS = [
    block
    for page in PAGES
    for block in re.findall(r"```typescript\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
]
NEEDS_ITS_OWN = ("my-workflow", "receive(request")
"""Names of what a reader has, and a new installation has not."""
DECLARED = (
    'declare module "node:fs/promises" { function readFile(path: string): Promise<Uint8Array>; }'
)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    with running(tmp_path_factory.mktemp("guide"), *ONE_WORKER) as started:
        yield started


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(tmp_path_factory.mktemp("installed"))


@pytest.mark.parametrize(
    "block", [each for each in BLOCKS if not any(name in each for name in NEEDS_ITS_OWN)]
)
def test_a_program_of_the_guide_runs(block: str, stack: RunningStack, folder: Path) -> None:
    (folder / "program.ts").write_text(block)
    environ = {**os.environ, "HEADRACE_URL": stack.url, "HEADRACE_API_KEY": stack.key}

    printed = run((*NODE, "program.ts"), folder, environ)

    assert "Dear " in printed


def test_programs_of_the_guide_have_types(folder: Path) -> None:
    names = ["declared.d.ts"]
    (folder / "declared.d.ts").write_text(DECLARED)
    for number, block in enumerate(BLOCKS):
        (folder / f"typed_{number}.ts").write_text(block)
        names.append(f"typed_{number}.ts")
    options = ("--noEmit", "--strict", "--module", "nodenext", "--target", "es2022")
    lib = ("--lib", "es2022,dom", "--types", "", "--ignoreConfig")

    run((*NODE, str(COMPILER), *options, *lib, *names), folder, {})

    assert len(names) > 5
