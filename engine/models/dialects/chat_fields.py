"""What sections for chats share: which fields are the prompt, the pictures and the rest."""

from engine.models.body_templates import Body
from engine.models.table_reader import ManifestContext, TableReader

CHAT_MEMBERS = ("model", "prompt", "system", "images", "schema", "body", "stream")


def read_chat_members(
    reader: TableReader, about: ManifestContext, *, apart: frozenset[str] = frozenset()
) -> dict[str, str | bool | Body]:
    """The members of a question, by default from the fields that are called as they are.

    Fields that are `apart` are sent by themselves, so they are no images by default.
    """
    names = about.names or frozenset()
    seen = [each.name for each in about.fields or () if each.type == "image"]
    images = [f"{{{{ {name} }}}}" for name in seen if name not in apart]
    return {
        "model": reader.text("model"),
        "prompt": reader.body("prompt", _field("prompt", names)),
        "system": reader.body("system", _field("system", names)),
        "images": reader.body("images", images),
        "schema": reader.body("schema", _field("jsonSchema", names)),
        "body": reader.body("body"),
        "stream": reader.flag("stream", default=True),
    }


def _field(name: str, names: frozenset[str]) -> str | list[str]:
    """A placeholder for a field that is there, else what fills to nothing."""
    return f"{{{{ {name} }}}}" if name in names else []
