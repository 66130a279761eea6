from collections.abc import Iterator

import pytest

from tests.support.contract.installation import Administration, cleaned
from tests.support.contract.webhooks import Owner
from tests.support.http.target import Stub


@pytest.fixture
def owner(administration: Administration, stub: Stub) -> Iterator[Owner]:
    account = administration.account("business")
    browser = administration.browser(account)
    body = {"name": "hook", "capabilities": ["workflow:*", "webhook:receive", "model:run"]}
    made = browser.post("/api/api-keys", body).json()
    for caller in cleaned(administration.with_key(made["key"])):
        yield Owner(browser=browser, caller=caller, key_id=made["id"], stub=stub)
