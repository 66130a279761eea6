"""A subscription to a cluster is on any primary, and on another one when that ends."""

import asyncio
from collections.abc import Sequence

from engine.store.executions.notifier import CompletionNotifier
from engine.store.redis.address import RedisAddress
from engine.store.redis.cluster.cluster_client import ClusterClient
from engine.store.redis.subscription import Subscription
from tests.support.eventually import eventually
from tests.support.redis.cluster import RedisCluster, running_cluster
from tests.support.redis.processes import ServerProcess

CHANNEL = "hr:told"


def subscribers(cluster: RedisCluster) -> list[ServerProcess]:
    """Return the running servers with a subscriber of the channel."""
    running = [each for each in cluster.servers if each.is_running]
    return [each for each in running if each.command("PUBSUB", "NUMSUB", CHANNEL)[1] > 0]


async def test_messages_arrive_after_the_subscribed_primary_was_killed() -> None:
    with running_cluster(3, 1) as cluster:
        address = RedisAddress.parse(cluster.address())
        client = ClusterClient(address)
        received, subscribed = list[bytes](), list[int]()
        subscription = Subscription(address, CHANNEL)
        async with subscription.running(received.append, lambda: subscribed.append(1)):
            await client.send("PUBLISH", CHANNEL, "before")
            await has(received, b"before")

            [first] = subscribers(cluster)
            first.kill()

            await has(subscribed, 1, times=2)
            assert subscribers(cluster) != [first]
            await asyncio.to_thread(cluster.await_failover, first)
            await client.send("PUBLISH", CHANNEL, "after")
            await has(received, b"after")
        await client.close()


async def test_channels_of_gateways_have_names_of_a_cluster(primaries: RedisCluster) -> None:
    async with CompletionNotifier.open(RedisAddress.parse(primaries.address())) as notifier:
        assert notifier.channel.startswith("hr:notifier:*")


async def has(values: Sequence[object], value: object, times: int = 1) -> None:
    """Wait until a list has a value so often."""

    async def count() -> int:
        return values.count(value)

    await eventually(count, times.__le__)
