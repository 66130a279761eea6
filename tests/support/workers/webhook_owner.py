"""An account with keys whose webhooks lead to a receiver, and its deliveries."""

from dataclasses import dataclass

from engine.store import Account, Store
from engine.webhooks.deliveries import Delivery, DeliveryStatus
from tests.support.eventually import PATIENCE_SECONDS, eventually
from tests.support.factories import Graph, Runner, greeting
from tests.support.http.webhook_receivers import Receiver
from tests.support.store.records import accept

SECRET = "a secret of the owner's own"


@dataclass
class Owner:
    """An account with keys whose webhooks lead to the receiver."""

    runner: Runner
    receiver: Receiver

    @property
    def store(self) -> Store:
        return self.runner.store

    @property
    def account(self) -> Account:
        return self.runner.account

    async def hook(self, path: str, secret: str = SECRET) -> str:
        """A new key with a webhook to this path of the receiver; returns its id."""
        capabilities = ["workflow:*", "webhook:receive"]
        key, _ = await self.store.api_keys.create(self.account, name="k", capabilities=capabilities)
        url = self.receiver.url + path
        await self.store.webhooks.save(self.account.id, key.id, url=url, secret=secret)
        return key.id

    async def begin(self, slug: str, key_id: str, trace: str = "") -> str:
        """Accept an execution as an asynchronous call with this key would; returns its id."""
        workflow, plan = await self.store.workflows.plan(slug)
        assert plan is not None
        webhook = await self.store.webhooks.in_force(self.account.id, key_id)
        ids, inputs = (self.account, workflow, plan), {"who": "Ada"}
        accepted = await accept(
            self.store, *ids, inputs, key_id=key_id, webhook=webhook, trace=trace
        )
        return accepted.id

    async def run(self, key_id: str, graph: Graph | None = None, trace: str = "") -> str:
        return await self.begin(await self.runner.save(graph or greeting()), key_id, trace)

    async def delivery(self, key_id: str, delivery_id: str) -> Delivery | None:
        rows, _ = await self.store.deliveries.list(self.account.id, key_id, limit=100)
        return next((row for row in rows if row.id == delivery_id), None)

    async def settled(
        self, key_id: str, delivery_id: str, *, attempts: int = 1, seconds: float = PATIENCE_SECONDS
    ) -> Delivery:
        """Wait until the delivery is not pending and had this many attempts, and return it."""
        found = await eventually(
            lambda: self.delivery(key_id, delivery_id),
            lambda each: (
                each is not None
                and each.status is not DeliveryStatus.PENDING
                and len(each.attempts) >= attempts
            ),
            timeout=seconds,
        )
        assert found is not None
        return found
