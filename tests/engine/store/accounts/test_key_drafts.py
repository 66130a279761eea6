import pytest

from engine.errors import CapabilityAboveCeiling, InvalidCapability
from engine.store import Account, Store
from engine.store.accounts.key_drafts import MAX_NAME, draft_key


async def test_a_draft_is_not_saved(store: Store, account: Account) -> None:
    key, secret = await draft_key(
        store.client, store.tiers, account, name="k", capabilities=["workflow:run"]
    )

    assert secret.startswith(key.prefix)
    assert secret.endswith(key.last4)
    assert await store.api_keys.list(account.id) == []


@pytest.mark.parametrize(
    ("name", "capabilities", "expires_at", "error"),
    [
        ("", ["workflow:run"], None, ValueError),
        ("n" * (MAX_NAME + 1), ["workflow:run"], None, ValueError),
        ("k", [], None, ValueError),
        ("k", ["workflow:run"], 1, ValueError),
        ("k", ["run"], None, InvalidCapability),
        ("k", ["*"], None, CapabilityAboveCeiling),
    ],
)
async def test_a_draft_that_no_key_may_be_is_refused(
    store: Store,
    account: Account,
    name: str,
    capabilities: list[str],
    expires_at: int | None,
    error: type[Exception],
) -> None:
    with pytest.raises(error):
        await draft_key(
            store.client,
            store.tiers,
            account,
            name=name,
            capabilities=capabilities,
            expires_at=expires_at,
        )
