import pytest

from engine.errors.nodes import NodeFailed, SettingsError
from engine.nodes import node_type
from engine.nodes.support.base import WorkKind
from engine.values.sockets import SocketType
from tests.support.nodes.node_context import FakeContext, run_node
from tests.support.nodes.node_sample import NodeSample

ASSET = "Zr0sQm9yXk1dWc7uT2eHbL5a"
SAMPLES = {"upload": NodeSample(WorkKind.IO, "Inputs", {"asset": ASSET, "kind": "image"})}


@pytest.mark.parametrize("kind", ["image", "video", "audio"])
async def test_an_upload_gives_a_link_to_its_asset(kind: str) -> None:
    context = FakeContext(assets={ASSET: kind})

    given = await run_node("upload", {"asset": ASSET, "kind": kind}, context=context)

    assert given == {f"{kind}-out": f"https://example.com/media/{ASSET}"}


def test_an_upload_has_the_socket_of_its_kind() -> None:
    upload = node_type("upload")
    assert upload is not None

    outputs = upload.outputs(upload.parse({"asset": ASSET, "kind": "audio"}))

    assert {name: socket.type for name, socket in outputs.items()} == {
        "audio-out": SocketType.AUDIO
    }


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({}, "asset must be the id of an asset"),
        ({"asset": "../../etc/passwd"}, "asset must be the id of an asset"),
        ({"asset": 5}, "asset must be the id of an asset"),
        ({"asset": ASSET, "kind": "text"}, "kind must be one of image, video, audio, file"),
        ({"asset": ASSET, "kind": ["image"]}, "kind must be one of image, video, audio, file"),
    ],
)
def test_what_is_no_upload_is_said_at_save(data: dict[str, object], reason: str) -> None:
    upload = node_type("upload")
    assert upload is not None

    with pytest.raises(SettingsError) as refused:
        upload.parse(data)

    assert refused.value.reasons == (reason,)


async def test_an_asset_of_another_kind_fails_the_node() -> None:
    context = FakeContext(assets={ASSET: "video"})

    with pytest.raises(NodeFailed) as failed:
        await run_node("upload", {"asset": ASSET}, context=context)

    assert failed.value.code == "invalid_value"


async def test_an_asset_that_is_not_the_accounts_fails_the_node() -> None:
    with pytest.raises(NodeFailed) as failed:
        await run_node("upload", {"asset": ASSET})

    assert failed.value.code == "asset_not_found"
