"""The API compared with its description.

The requests create, change and delete the resources of their account, so they go to a stack of
the tests' own.
"""

import random
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.acceptance.running_stack import BARE, running
from tests.support.acceptance.schema_search import RUN_RULES, Search
from tests.support.contract.installation import Administration
from tests.support.gateway.documents import edge, node

FEW, SEVERAL, SOME, MANY = 3, 5, 60, 400
FORM: list[dict[str, Any]] = [
    {"name": "name", "type": "text", "required": True, "maxLength": 40},
    {"name": "words", "type": "textarea", "default": "a\nb"},
    {"name": "size", "type": "number", "min": -3, "max": 40, "step": 0.5},
    {"name": "share", "type": "slider", "min": 1, "max": 9, "step": 2, "default": 3},
    {"name": "mood", "type": "pills", "options": ["calm", "wild", 3], "required": True},
    {"name": "loud", "type": "toggle"},
    {"name": "photo", "type": "image"},
    {"name": "bill", "type": "file"},
    {"name": "extra", "type": "json"},
]
WORKFLOW = {
    "name": "Form",
    "nodes": [
        node("in", "requestInput", fields=FORM, values={"mood": "calm"}, strict=True),
        node("text", "textBox", text="Hello {{ name }}"),
        node("out", "responseOutput"),
    ],
    "edges": [
        edge("in", "name", "text", "name"),
        edge("text", "text-out", "out", "result-in"),
    ],
}


@pytest.fixture(scope="module")
def administration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Administration]:
    settings = {
        "HEADRACE_ALLOW_PRIVATE_URLS": "1",
        "HEADRACE_FAILED_CALLS_PER_MINUTE": "0",
        "HEADRACE_WEBHOOK_TIME_SCALE": "0.00001",
    }
    folder = tmp_path_factory.mktemp("described")
    with running(folder, *BARE, "--gateways", "2", **settings) as stack:
        made = Administration(stack)
        yield made
        made.close()


@pytest.fixture
def account(administration: Administration) -> str:
    """A new account without a rate limit."""
    return administration.account("enterprise")


@pytest.fixture(params=["key", "session"])
def search(request: pytest.FixtureRequest, administration: Administration, account: str) -> Search:
    """A search with a key that its requests cannot delete, or with a session."""
    url = administration.url
    if request.param == "key":
        return Search(
            url, {"key": administration.key(account, "workflow:*", "model:*", "execution:*")}
        )
    browser = administration.browser(account)
    return Search(url, {"session": browser.client.cookies["headrace_session"]}, origin=url)


@pytest.mark.thorough
@pytest.mark.timeout(300)
def test_what_the_api_does_is_what_it_says(search: Search) -> None:
    found = search.findings(count=FEW)

    assert found == [], "\n".join(found)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("count", [SEVERAL, pytest.param(SOME, marks=pytest.mark.thorough)])
def test_a_workflow_takes_and_gives_what_its_own_description_says(
    administration: Administration, account: str, count: int
) -> None:
    key = administration.key(account, "workflow:*")
    slug = administration.with_key(key).save(WORKFLOW)
    search = Search(administration.url, {"key": key})

    found = search.findings(
        f"/api/workflows/{slug}/openapi.json", count=count, operations=RUN_RULES
    )

    assert found == [], "\n".join(found)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_long_search_finds_nothing(search: Search) -> None:
    seed = random.randrange(2**31)

    assert search.findings(count=MANY, seed=seed) == [], f"with the seed {seed}"
