"""`[builtin]`: calls that the worker answers by itself."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from engine.errors.nodes import SettingsError
from engine.models.dialects.section_schema import Schema, described, section_schema
from engine.models.tables.table_checks import unknown_members
from engine.models.tables.table_reader import ManifestContext
from engine.values.templates import Template

BUILTIN_MEMBERS = ("template", "gives")


class BuiltinResult(StrEnum):
    """Use of the rendered template."""

    TEXT = "text"
    """The text is the answer."""
    EMBEDDING = "embedding"
    """The embedding of the text, as JSON, is the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltinSection:
    """Template whose rendered text the worker answers with."""

    name: ClassVar[str] = "builtin"
    json_schema: ClassVar[Schema] = section_schema(
        BUILTIN_MEMBERS,
        ("template",),
        "Without a call: a template",
        template=described(
            {"type": "string", "minLength": 1}, "Its text is the answer; may contain {{ field }}."
        ),
        gives={"enum": list(BuiltinResult)},
    )
    endpoint: ClassVar[None] = None

    template: Template
    gives: BuiltinResult = BuiltinResult.TEXT

    def texts(self, values: Mapping[str, Any]) -> Iterator[str]:
        """Return the only text."""
        yield self.template.render(values)

    def image_values(self, values: Mapping[str, Any]) -> None:
        """Return None: any image of the values counts."""

    def fixed_paths(self) -> Mapping[str, Template]:
        """Return nothing: no call leaves the worker."""
        return {}


def parse_builtin(table: Mapping[str, Any], context: ManifestContext) -> BuiltinSection:
    """Read the section. Raises SettingsError with every reason."""
    reasons = list(unknown_members("", table, BUILTIN_MEMBERS))
    gives = table.get("gives", BuiltinResult.TEXT)
    if gives not in list(BuiltinResult):
        reasons.append(f".gives must be one of {', '.join(BuiltinResult)}")
    elif gives == BuiltinResult.EMBEDDING and context.category != "text":
        reasons.append(f".gives '{gives}' is for models of the category text")
    text = table.get("template")
    if not isinstance(text, str) or not text:
        raise SettingsError(*reasons, ".template must be a text")
    try:
        template = Template.parse(text)
    except SettingsError as error:
        raise SettingsError(*reasons, *(f".template: {each}" for each in error.reasons)) from None
    unfit = [] if context.names is None else sorted(template.names - context.names)
    reasons += [f".template has '{name}', and no field is called that" for name in unfit]
    if reasons:
        raise SettingsError(*reasons)
    return BuiltinSection(template=template, gives=BuiltinResult(gives))
