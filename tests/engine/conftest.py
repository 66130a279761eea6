"""Settings of the property tests: a shared machine must not make one fail for being slow."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.support.http.s3_server import S3Server, serving

settings.register_profile(
    "shared-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("shared-machine")


@pytest.fixture(scope="session")
def server() -> Iterator[S3Server]:
    """Start a real S3 server."""
    with serving() as server:
        yield server
