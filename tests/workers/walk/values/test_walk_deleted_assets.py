"""Runs whose media are deleted while they go on."""

from collections.abc import AsyncIterator

from engine.services.media import MediaService
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.media import AssetSource
from tests.support.eventually import eventually
from tests.support.factories import Graph, Runner
from tests.support.http.scripted_server import Target
from tests.support.media import files
from workers.walk.walker import Walker


async def pieces(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def test_a_run_under_way_fails_at_the_node_that_needs_a_deleted_asset(
    settings: Settings,
    runner: Runner,
    walker: Walker,
    target: Target,
    store: Store,
    account: Account,
) -> None:
    media_service = MediaService.from_settings(settings, store)
    asset = await media_service.save(
        account.id, "image/png", pieces(files.png()), source=AssetSource.UPLOAD
    )
    graph = Graph().node("up", "upload", asset=asset.id).node("out", "responseOutput")
    graph.node("call", "httpRequest", url=f"{target.url}/slow/0.3")
    graph.node("titled", "imageCaption", text="{{ said }}")
    graph.wire("up.image-out > titled.image-in", "call.response-out > titled.said")
    execution_id = await runner.begin(
        await runner.save(graph.wire("titled.image-out > out.result-in"))
    )

    async def is_linked() -> bool:
        _, needing = await store.assets.needed_by(asset.id)
        return list(needing) == [execution_id] and target.calls.total() == 1

    await eventually(is_linked)
    await media_service.delete(account.id, asset.id)
    execution = await runner.end(execution_id)

    assert (execution.status, execution.credits_cost) == ("failed", 0)
    assert execution.error is not None
    assert execution.error["nodeId"] == "titled"
    assert execution.error["nodeCode"] == "asset_not_found"
