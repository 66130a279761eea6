from collections.abc import Iterator

import pytest

from tests.support.contract.installation import Administration
from tests.support.contract.webhooks import Owner, new_owners
from tests.support.http.target import Stub


@pytest.fixture
def owner(administration: Administration, stub: Stub) -> Iterator[Owner]:
    yield from new_owners(administration, stub, "model:run")
