"""Text Box: a template whose placeholders are its inputs."""

from collections.abc import Collection, Mapping
from typing import Any

from engine.errors.nodes import SettingsError
from engine.nodes.support.base import Context, NodeType, Outputs, WorkKind
from engine.values.sockets import Socket, SocketType
from engine.values.templates import Template, members_read


class TextBox(NodeType):
    """Fills the wired values into its text."""

    type = "textBox"
    category = "Utilities"
    kind = WorkKind.PURE

    def parse(self, data: Mapping[str, Any]) -> Template:
        text = data.get("text", "")
        if not isinstance(text, str):
            raise SettingsError("text must be a text")
        try:
            return Template.parse(text)
        except SettingsError as error:
            raise SettingsError(*(f"text: {reason}" for reason in error.reasons)) from None

    def inputs(self, settings: Template) -> Mapping[str, Socket]:
        return {name: Socket(type=SocketType.ANY, required=True) for name in settings.names}

    def outputs(self, settings: Template) -> Mapping[str, Socket]:
        return {"text-out": Socket(type=SocketType.TEXT)}

    def reads(self, settings: Template, socket: str) -> Collection[str] | None:
        return members_read([settings], socket)

    async def run(self, settings: Template, inputs: Mapping[str, Any], context: Context) -> Outputs:
        return self.estimate_outputs(settings, inputs)

    def estimate_outputs(
        self, settings: Template, inputs: Mapping[str, Any], unknown: Collection[str] = ()
    ) -> Outputs:
        return {"text-out": settings.render(inputs)}
