from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def wheel() -> Path:
    found = list((ROOT / "dist").glob("headrace-*.whl"))
    if not found:
        pytest.skip("dist/ has no wheel: `make dist` builds it")
    return max(found, key=lambda path: path.stat().st_mtime)
