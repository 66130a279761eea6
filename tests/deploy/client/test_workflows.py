"""The workflow that a document is pushed to."""

from typing import Any

import pytest

from deploy.client.workflows import AccountWorkflows, find_slug
from deploy.problems import CommandFailed

OWN = [
    {"slug": "hello", "name": "Hello"},
    {"slug": "hello-2", "name": "Hello, again"},
    {"slug": "twin", "name": "Twin"},
    {"slug": "twin-2", "name": "Twin"},
]


@pytest.mark.parametrize(
    ("body", "slug"),
    [
        ({"slug": "hello-2", "name": "Hello"}, "hello-2"),
        ({"slug": "of-another-server", "name": "Hello"}, "hello"),
        ({"slug": None, "name": "Hello"}, "hello"),
        ({"name": "Hello"}, "hello"),
        ({"slug": "twin", "name": "Twin"}, "twin"),
        ({"name": "hello"}, None),
        ({}, None),
    ],
)
def test_the_slug_counts_before_the_name(body: dict[str, Any], slug: str | None) -> None:
    assert find_slug(OWN, body) == slug


def test_one_name_of_several_workflows_names_none() -> None:
    with pytest.raises(CommandFailed, match=r"are called 'Twin' \(twin, twin-2\): .* --new"):
        find_slug(OWN, {"name": "Twin"})


async def test_a_template_of_another_account_is_not_ones_own() -> None:
    class Templates:
        async def get(self, path: str) -> Any:
            return [
                {"slug": "mine", "name": "Letter", "createdBy": "acc_1"},
                {"slug": "theirs", "name": "Letter", "createdBy": None},
            ]

    own = await AccountWorkflows(Templates()).own()

    assert [row["slug"] for row in own] == ["mine"]
