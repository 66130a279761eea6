"""Build a release of this clone into a folder: `python -m deploy.packaging.release FOLDER`.

With `--twice`, a second build from another clone must give the same bytes.
"""

import sys
import time
from pathlib import Path

from deploy.packaging.release.builder import build_release
from deploy.packaging.release.checksums import read_checksums
from deploy.packaging.release.commands import ReleaseFailed
from deploy.packaging.release.second_build import build_again
from deploy.packaging.release.sources import Sources, read_sources

ROOT = Path(__file__).parents[3]
UNCOMMITTED = "WARNING: files here are not as in the commit, so this is a build of no release"


def main(arguments: list[str]) -> int:
    """Build, and compare if asked; return the exit code."""
    target = Path(arguments[0]).resolve()
    try:
        sources = read_sources(ROOT)
        if not sources.is_committed:
            print(UNCOMMITTED, file=sys.stderr)
        began = time.monotonic()
        build_release(sources, target, _say)
        for name in read_checksums(target):
            print(f"  {(target / name).stat().st_size / 1e6:8.3f} MB  {name}")
        _say(f"Built in {time.monotonic() - began:.0f} s")
        return _compare(sources, target) if "--twice" in arguments[1:] else 0
    except ReleaseFailed as problem:
        print(f"release: {problem}", file=sys.stderr)
        return 1


def _compare(sources: Sources, target: Path) -> int:
    _say("Building again, from another clone in another place")
    if different := build_again(sources, target):
        print(f"release: The second build differs in {', '.join(different)}", file=sys.stderr)
        return 1
    _say("  the second build has the same bytes in every file")
    return 0


def _say(sentence: str) -> None:
    print(sentence, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
