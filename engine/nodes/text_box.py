"""Text Box: a template whose placeholders are its inputs."""

from collections.abc import Collection, Mapping
from typing import Any

from engine.nodes.support.base import Context, NodeType, Outputs, WorkKind
from engine.nodes.support.settings import Faults, template
from engine.values.sockets import Socket, SocketType
from engine.values.templates import Template, members_read, placeholder_names

TEXT_OUT = "text-out"
TEXT = template(
    "text",
    "The text; each {{ placeholder }} is an input socket.",
    is_nullable=False,
    no_text="text must be a text",
)


class TextBox(NodeType):
    """Fills the wired values into its text."""

    type = "textBox"
    category = "Utilities"
    label = "Text Box"
    description = "A text whose placeholders are filled with the wired values."
    kind = WorkKind.PURE
    is_dynamic = True
    members = (TEXT,)

    def read(self, data: Mapping[str, Any], faults: Faults) -> Template:
        found: Template = TEXT.read(data, faults)
        return found

    def inputs(self, settings: Template) -> Mapping[str, Socket]:
        placeholder = Socket(type=SocketType.ANY, required=True)
        return dict.fromkeys(placeholder_names([settings]), placeholder)

    def outputs(self, settings: Template) -> Mapping[str, Socket]:
        return {TEXT_OUT: Socket(type=SocketType.TEXT)}

    def reads(self, settings: Template, socket: str) -> Collection[str] | None:
        return members_read([settings], socket)

    async def run(self, settings: Template, inputs: Mapping[str, Any], context: Context) -> Outputs:
        return self.estimate_outputs(settings, inputs)

    def estimate_outputs(
        self, settings: Template, inputs: Mapping[str, Any], unknown: Collection[str] = ()
    ) -> Outputs:
        return {TEXT_OUT: settings.render(inputs)}
