"""Upload: a stored image, video or sound of the author."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors.nodes import NodeFailed, SettingsError
from engine.media.formats import MediaKind
from engine.media.ids import is_asset_id
from engine.nodes.support.base import Context, NodeType, Outputs, WorkKind
from engine.values.sockets import Socket, SocketType


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
    """Outputs a link to an asset of the account that runs the workflow."""

    type = "upload"
    category = "Inputs"
    kind = WorkKind.IO

    def parse(self, data: Mapping[str, Any]) -> UploadSettings:
        reasons = []
        asset, kind = data.get("asset"), data.get("kind", MediaKind.IMAGE)
        if not is_asset_id(asset):
            reasons.append("asset must be the id of an asset")
        if kind not in list(MediaKind):
            reasons.append(f"kind must be one of {', '.join(MediaKind)}")
        if reasons:
            raise SettingsError(*reasons)
        return UploadSettings(asset=str(asset), kind=MediaKind(kind))

    def inputs(self, settings: UploadSettings) -> Mapping[str, Socket]:
        return {}

    def outputs(self, settings: UploadSettings) -> Mapping[str, Socket]:
        return {settings.output: Socket(type=SocketType(settings.kind.value))}

    async def run(
        self, settings: UploadSettings, inputs: Mapping[str, Any], context: Context
    ) -> Outputs:
        kind, url = await context.use_asset(settings.asset)
        if kind != settings.kind:
            raise NodeFailed("invalid_value", f"The asset is {kind}, not {settings.kind}")
        return {settings.output: url}
