"""The stub in this process, called through Starlette's test client."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from starlette.testclient import TestClient

from deploy.stub_provider.app import create_app
from deploy.stub_provider.limits import LimitOptions

Open = Callable[..., TestClient]


@pytest.fixture
def open_stub() -> Iterator[Open]:
    """Return a factory of stubs with limits and a script."""
    with ExitStack() as stack:

        def open_one(limits: LimitOptions | None = None, script: str = "") -> TestClient:
            return stack.enter_context(TestClient(create_app(limits, script)))

        yield open_one


@pytest.fixture
def stub(open_stub: Open) -> TestClient:
    """A stub without limits."""
    return open_stub()
