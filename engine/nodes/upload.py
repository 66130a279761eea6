"""Upload: a stored image, video, sound or file of the author."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors.nodes import NodeFailed
from engine.media.formats import MediaKind
from engine.media.ids import PATTERN as ASSET_ID
from engine.nodes.support.base import Context, NodeType, Outputs, WorkKind
from engine.nodes.support.settings import Faults, choice, pattern, read_all
from engine.values.sockets import Socket, SocketType

MUST = "must be the id of an asset"


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadSettings:
    """Asset and its required kind."""

    asset: str
    kind: MediaKind

    @property
    def output(self) -> str:
        """Name of the output socket."""
        return f"{self.kind}-out"


class Upload(NodeType):
    """Outputs a link to an asset of the workflow's owner."""

    type = "upload"
    category = "Inputs"
    label = "Upload"
    description = "An image, a video, a sound or a file that the author has stored."
    kind = WorkKind.IO
    is_dynamic = True
    members = (
        pattern(
            "asset",
            "The id of the asset.",
            ASSET_ID,
            MUST,
            widget="asset",
            missing=MUST,
            is_required=True,
        ),
        choice(
            "kind",
            "Kind of the asset.",
            tuple(MediaKind),
            default=MediaKind.IMAGE,
            is_nullable=False,
        ),
    )

    def read(self, data: Mapping[str, Any], faults: Faults) -> UploadSettings:
        given = read_all(self.members, data, faults)
        return UploadSettings(asset=given["asset"], kind=given["kind"])

    def inputs(self, settings: UploadSettings) -> Mapping[str, Socket]:
        return {}

    def outputs(self, settings: UploadSettings) -> Mapping[str, Socket]:
        return {settings.output: Socket(type=SocketType(settings.kind.value))}

    async def run(
        self, settings: UploadSettings, inputs: Mapping[str, Any], context: Context
    ) -> Outputs:
        kind, url = await context.use_asset(settings.asset, is_named=True)
        if kind != settings.kind:
            raise NodeFailed("invalid_value", f"The asset is {kind}, not {settings.kind}")
        return {settings.output: url}
