"""The demonstration of an installation without a data directory."""

import pytest

from deploy.admin.demonstration import EMAIL, demonstrate
from deploy.admin.examples import SAMPLE_SLUG, example_documents, template_documents
from deploy.output.problems import CommandFailed
from engine.access.capabilities import Role, Tier
from engine.store import Store

BASE = "https://flows.example.org"


async def test_a_new_installation_gets_an_account_with_a_key_and_workflows(store: Store) -> None:
    made = await demonstrate(store, BASE)

    [account] = await store.accounts.list()
    workflows = await store.workflow_list.own(account.id)
    assert (account.id, account.email, account.role) == (made.account_id, EMAIL, Role.ADMIN)
    assert len(workflows) == len(example_documents()) + len(template_documents())
    assert SAMPLE_SLUG in {each.slug for each in workflows}
    assert (await store.api_keys.authorize(made.key)).account.id == account.id
    assert made.link.startswith(f"{BASE}/login?token=")
    assert made.is_new


async def test_templates_have_their_tests_whose_judges_are_there(store: Store) -> None:
    made = await demonstrate(store, BASE)

    slugs = {each.slug for each in await store.workflow_list.own(made.account_id)}
    saved = await store.workflow_tests.list(made.account_id, "reply-to-a-review")
    judges = {each.test.judge.workflow for each in saved if each.test.judge is not None}
    assert {each.name for each in saved} == template_documents()["review-reply"]["tests"].keys()
    assert judges == {"score-of-a-reply"} < slugs


async def test_made_again_it_is_another_key_and_nothing_else(store: Store) -> None:
    first = await demonstrate(store, BASE)
    await store.workflows.delete(first.account_id, SAMPLE_SLUG)
    before = {each.slug for each in await store.workflow_list.own(first.account_id)}

    second = await demonstrate(store, BASE)

    keys = await store.api_keys.list(first.account_id)
    assert (second.account_id, second.is_new) == (first.account_id, False)
    assert second.key != first.key
    assert len(keys) == 2
    await store.api_keys.authorize(first.key)
    assert {each.slug for each in await store.workflow_list.own(first.account_id)} == before


async def test_an_installation_with_accounts_of_its_own_is_left_as_it_is(store: Store) -> None:
    await store.accounts.create(email="eve@example.org", tier=Tier.PRO, role=Role.ADMIN)

    with pytest.raises(CommandFailed, match="has accounts, but not that of the demonstration"):
        await demonstrate(store, BASE)

    assert len(await store.accounts.list()) == 1
