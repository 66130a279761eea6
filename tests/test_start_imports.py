"""Modules that no process imports at its start, because they take memory and time."""

import subprocess
import sys

import pytest

HEAVY = ("cel_expr_python", "matplotlib", "numpy", "onnxruntime", "rich", "mcp", "pydantic")
LATER = ("sqlalchemy", "alembic", "networkx")
"""Of 27 MB; the first read of the history and the first graph import them."""
STORE = ("engine.store", "redis", "cryptography", "obstore")
"""Of 40 MB with all that they import."""


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("gateway.server", (*HEAVY, *LATER)),
        ("workers.main", (*HEAVY, *LATER)),
        ("workers.history.main", (*HEAVY, "alembic", "aiohttp", "starlette")),
        ("deploy.up.stack_run", (*HEAVY, *STORE, "sqlalchemy")),
    ],
)
def test_a_process_starts_without(module: str, absent: tuple[str, ...]) -> None:
    program = f"import sys, deploy.cli, {module}; print(*sys.modules)"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    imported = done.stdout.split()
    assert module in imported, done.stderr
    assert [name for name in absent if name in imported] == []
