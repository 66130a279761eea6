"""The image as a folder, a Redis and a PostgreSQL for its containers."""

import os
import shutil
import sys
from collections.abc import Iterator

import pytest

from deploy.packaging.image.__main__ import image_name
from deploy.packaging.image.builders import find_builder
from tests.conftest import free_port
from tests.support.image.calls import Start
from tests.support.image.containers import Container, UnpackedImage, unpacked_image
from tests.support.image.postgresql import postgresql
from tests.support.redis.processes import DURABLE, ServerProcess

SECRET_KEY = "0123456789abcdef" * 4


@pytest.fixture(scope="session")
def image() -> Iterator[UnpackedImage]:
    """The image that `make image` has built."""
    if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("containers are started here by root, in namespaces of Linux")
    builder = find_builder()
    if builder is None or not builder.has(image_name()):
        pytest.skip(f"there is no image {image_name()}: `make image` builds it")
    with unpacked_image(builder, image_name()) as unpacked:
        yield unpacked


@pytest.fixture
def redis_url() -> Iterator[str]:
    """A Redis on loopback, without an installation."""
    lines = [*(f"{name} {value}" for name, value in DURABLE.items())]
    server = ServerProcess([*lines, "maxmemory-policy noeviction"])
    server.start()
    yield f"redis://127.0.0.1:{server.port}/0"
    server.remove()


@pytest.fixture(scope="session")
def database_url() -> Iterator[str]:
    """An empty PostgreSQL on loopback."""
    with postgresql() as url:
        yield url


@pytest.fixture
def start(image: UnpackedImage) -> Iterator[Start]:
    """Start containers, which are removed at the end."""
    started: list[Container] = []

    def start_one(*words: str, **options: object) -> Container:
        container = Container(image, *words, **options)  # type: ignore[arg-type]
        started.append(container)
        return container

    yield start_one
    for container in started:
        if sys.exc_info()[0]:
            print(container.output)
        container.remove()


@pytest.fixture
def environ(redis_url: str, database_url: str) -> dict[str, str]:
    """Settings of an installation."""
    return {
        "HEADRACE_REDIS_URL": redis_url,
        "HEADRACE_DATABASE_URL": database_url,
        "HEADRACE_SECRET_KEY": SECRET_KEY,
        "HEADRACE_PORT": str(free_port()),
        "HEADRACE_HEALTH_PORT": str(free_port()),
    }
