import pytest

from deploy.documents import push_workflow
from engine.errors import InvalidGraph
from engine.store import Account, Store
from tests.factories import http_fan

INWARD = http_fan("http://10.0.0.1:9/", 1).body()


async def test_a_private_url_is_pushed_only_where_it_is_allowed(
    store: Store, account: Account
) -> None:
    with pytest.raises(InvalidGraph):
        await push_workflow(store, account.id, INWARD)
    saved = await push_workflow(store, account.id, INWARD, allow_private=True)

    assert (saved.version, saved.problems) == (1, ())
