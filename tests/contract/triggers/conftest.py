from collections.abc import Iterator

import pytest

from tests.support.contract.installation import Administration, Caller, cleaned
from tests.support.contract.triggers import SECRET, greeting


@pytest.fixture(scope="session")
def account_id(administration: Administration) -> str:
    return administration.account("business")


@pytest.fixture
def owner(administration: Administration, account_id: str) -> Iterator[Caller]:
    """A browser of an account with the secret `SIGNING`, which has no triggers afterwards."""
    browser = administration.browser(account_id)
    browser.put("/api/secrets/SIGNING", {"value": SECRET})
    yield from cleaned(browser)
    for row in browser.get("/api/triggers?limit=200").json()["rows"]:
        browser.delete(f"/api/triggers/{row['id']}")


@pytest.fixture
def slug(owner: Caller) -> str:
    """The slug of a workflow that greets."""
    return owner.save(greeting())
