"""Containers of a real engine, which checks their health and stops them."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.packaging.image.__main__ import image_name
from deploy.packaging.image.builders import find_builder
from tests.conftest import find_redis_server
from tests.image.conftest import SECRET_KEY
from tests.support.acceptance.running_stack import until
from tests.support.image.engine import Engine, docker_engine

pytestmark = pytest.mark.slow

HARDENED = (
    *("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL"),
    *("--security-opt", "no-new-privileges", "--health-interval", "1s"),
)
PORT = "18000"
REDIS_PORT = "16379"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine that has the image."""
    builder = find_builder()
    if builder is None or not builder.has(image_name()):
        pytest.skip(f"there is no image {image_name()}: `make image` builds it")
    archive = tmp_path_factory.mktemp("image") / "image.tar"
    with docker_engine() as running:
        builder.save(image_name(), archive)
        running.run("load", "--quiet", "--input", str(archive))
        archive.unlink()
        yield running


@pytest.fixture
def redis(engine: Engine, tmp_path: Path) -> Iterator[str]:
    """Options of containers that reach a Redis beside the engine."""
    with (tmp_path / "log").open("wb") as log:
        server = engine.start_inside(
            *(find_redis_server(), "--port", REDIS_PORT, "--protected-mode", "no"),
            *("--dir", str(tmp_path), "--maxmemory-policy", "noeviction"),
            output=log.fileno(),
        )
    yield f"redis://redis:{REDIS_PORT}/0"
    server.terminate()
    server.wait()


def is_ready(engine: Engine) -> bool:
    return json.loads(engine.ask("curl", "-s", f"127.0.0.1:{PORT}/readyz") or "{}") == {
        "status": "ready"
    }


def stop(engine: Engine, container: str) -> tuple[str, float]:
    """Stop a container; return its exit code and the seconds it took."""
    began = time.monotonic()
    engine.run("stop", "--time", "60", container)
    return engine.read(container, "{{.State.ExitCode}}"), time.monotonic() - began


def test_a_stack_keeps_its_volume_when_it_is_killed(engine: Engine) -> None:
    volume, published = ("--volume", "data:/data"), ("--publish", f"{PORT}:8000")
    options = ("--detach", "--name", "stack", *HARDENED, *volume, *published)
    engine.run("run", *options, image_name(), "up")
    engine.await_healthy("stack")
    assert is_ready(engine)
    key = engine.run("exec", "stack", "headrace", "key", "list", "--json").stdout
    engine.run("kill", "stack")

    engine.run("start", "stack")
    engine.await_healthy("stack")

    assert is_ready(engine)
    assert json.loads(key)
    assert engine.run("exec", "stack", "headrace", "key", "list", "--json").stdout == key
    code, seconds = stop(engine, "stack")
    assert code == "0", engine.run("logs", "stack").stdout
    print(f"\nstopped in {seconds:.1f} s")


def test_gateways_and_workers_are_found_healthy(engine: Engine, redis: str) -> None:
    settings = (
        *("--add-host", "redis:host-gateway", "--env", f"HEADRACE_REDIS_URL={redis}"),
        *("--env", f"HEADRACE_SECRET_KEY={SECRET_KEY}"),
    )
    begun = until(
        lambda: engine.run("run", "--rm", *HARDENED, *settings, image_name(), "init", check=False),
        lambda done: done.returncode == 0,
    )
    assert begun.stdout.startswith("The Redis is marked")
    for name, published in (("gateway", ("--publish", f"{PORT}:8000")), ("worker", ())):
        options = ("--detach", "--name", name, *HARDENED, *settings, *published)
        engine.run("run", *options, image_name(), name)

    for name in ("gateway", "worker"):
        engine.await_healthy(name)

    assert is_ready(engine)
    with pytest.raises(subprocess.CalledProcessError):
        engine.run("exec", "gateway", "sh", "-c", "true")
    assert [stop(engine, name)[0] for name in ("worker", "gateway")] == ["0", "0"]
