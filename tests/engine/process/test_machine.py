"""Memory limits of machines and containers."""

from pathlib import Path

import pytest

from engine.process import machine
from engine.process.machine import memory_bytes

GIB = 1 << 30
NO_LIMIT = 9_223_372_036_854_771_712


@pytest.fixture(autouse=True)
def eight_gibibytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_physical", lambda: 8 * GIB)


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n")
    return root


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({}, 8 * GIB, id="no control groups"),
        pytest.param(
            {"proc/self/cgroup": "0::/", "sys/fs/cgroup/memory.max": str(GIB)},
            GIB,
            id="a container of the second version",
        ),
        pytest.param(
            {
                "proc/self/cgroup": "0::/system.slice/headrace.service",
                "sys/fs/cgroup/system.slice/headrace.service/memory.max": "max",
                "sys/fs/cgroup/system.slice/memory.max": str(2 * GIB),
            },
            2 * GIB,
            id="the limit of an outer group",
        ),
        pytest.param(
            {
                "proc/self/cgroup": "5:cpu,cpuacct:/a\n4:memory:/docker/abc\n0::/",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": str(3 * GIB),
            },
            3 * GIB,
            id="a container of the first version, with the path of its host",
        ),
        pytest.param(
            {
                "proc/self/cgroup": "4:memory:/",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": str(NO_LIMIT),
            },
            8 * GIB,
            id="the first version's word for no limit",
        ),
        pytest.param(
            {"proc/self/cgroup": "0::/", "sys/fs/cgroup/memory.max": str(64 * GIB)},
            8 * GIB,
            id="a limit above what the machine has",
        ),
    ],
)
def test_the_smallest_limit_counts(tmp_path: Path, files: dict[str, str], expected: int) -> None:
    assert memory_bytes(write(tmp_path, files)) == expected


def test_this_machine_has_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()

    assert memory_bytes() > 0
