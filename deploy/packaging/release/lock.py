"""Write the versions of all dependencies, with which the next release is built and tried.

Run it with the oldest Python that Headrace supports, so that all others have these versions too:
`python -m deploy.packaging.release.lock`.
"""

import sys
import tempfile
from pathlib import Path

from deploy.packaging.release.commands import run
from deploy.packaging.release.components import CONSTRAINTS, EXTRAS, install_alone

ROOT = Path(__file__).parents[3]
HEADER = "# Written by `python -m deploy.packaging.release.lock`: the versions of a release.\n"


def lock(root: Path) -> list[str]:
    """Install the newest versions into a new environment; write and return them."""
    with tempfile.TemporaryDirectory(prefix="lock-") as temporary:
        python = install_alone(f"{root}{EXTRAS}", Path(temporary) / "environment", None)
        pip = (sys.executable, "-m", "pip", "--python", python, "freeze")
        frozen = run(pip, root, {"PYTHONPATH": ""}).splitlines()
    versions = sorted((line.lower() for line in frozen if "==" in line), key=str)
    (root / CONSTRAINTS).write_text(HEADER + "\n".join(versions) + "\n", encoding="utf-8")
    return versions


if __name__ == "__main__":
    print(f"{len(lock(ROOT))} versions are in {CONSTRAINTS}")
