"""`[builtin]`: calls that the worker answers by itself."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from engine.errors.nodes import SettingsError
from engine.models.dialects.section_schema import Schema, described, section_schema
from engine.models.tables.table_checks import unknown_members
from engine.models.tables.table_reader import ManifestContext
from engine.values.fields import TIMED
from engine.values.templates import Template

BUILTIN_MEMBERS = ("template", "gives", "language")
TEMPLATE = {"type": "string", "minLength": 1}
NO_TEXT = Template(parts=(), names=frozenset())


class BuiltinResult(StrEnum):
    """Use of the rendered template."""

    TEXT = "text"
    """The text is the answer."""
    EMBEDDING = "embedding"
    """The embedding of the text, as JSON, is the answer."""
    TRANSCRIPT = "transcript"
    """The text is the URL of a sound, whose transcript is the answer."""
    SPEECH = "speech"
    """The sound of the spoken text is the answer."""


CATEGORIES = {
    BuiltinResult.EMBEDDING: "text",
    BuiltinResult.TRANSCRIPT: "text",
    BuiltinResult.SPEECH: "audio",
}
"""Categories of models by their result; a text may stand for any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltinSection:
    """Template whose rendered text the worker answers with."""

    name: ClassVar[str] = "builtin"
    json_schema: ClassVar[Schema] = section_schema(
        BUILTIN_MEMBERS,
        ("template",),
        "Without a call: a template",
        template=described(TEMPLATE, "Its text is the answer; may contain {{ field }}."),
        gives={"enum": list(BuiltinResult)},
        language=described(TEMPLATE, "Code of a sound's language; found out where it is empty."),
    )
    endpoint: ClassVar[None] = None

    template: Template
    gives: BuiltinResult = BuiltinResult.TEXT
    language: Template = NO_TEXT

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
    gives = _parse_gives(table, context, reasons)
    template = _parse_template("template", table.get("template"), context, reasons)
    language = NO_TEXT
    if "language" in table:
        language = _parse_template("language", table["language"], context, reasons)
        if gives is not BuiltinResult.TRANSCRIPT:
            reasons.append(f".language is for {BuiltinResult.TRANSCRIPT}s")
    if gives is BuiltinResult.TRANSCRIPT and not _is_sound(template, context):
        reasons.append(".template must be one field of the type audio or video, as {{ field }}")
    if reasons:
        raise SettingsError(*reasons)
    return BuiltinSection(template=template, gives=gives, language=language)


def _parse_gives(
    table: Mapping[str, Any], context: ManifestContext, reasons: list[str]
) -> BuiltinResult:
    gives = table.get("gives", BuiltinResult.TEXT)
    if gives not in list(BuiltinResult):
        reasons.append(f".gives must be one of {', '.join(BuiltinResult)}")
        return BuiltinResult.TEXT
    category = CATEGORIES.get(gives, context.category)
    if category != context.category:
        reasons.append(f".gives '{gives}' is for models of the category {category}")
    return BuiltinResult(gives)


def _parse_template(key: str, text: Any, context: ManifestContext, reasons: list[str]) -> Template:
    if not isinstance(text, str) or not text:
        reasons.append(f".{key} must be a text")
        return NO_TEXT
    try:
        template = Template.parse(text)
    except SettingsError as error:
        reasons += [f".{key}: {each}" for each in error.reasons]
        return NO_TEXT
    unfit = [] if context.names is None else sorted(template.names - context.names)
    reasons += [f".{key} has '{name}', and no field is called that" for name in unfit]
    return template


def _is_sound(template: Template, context: ManifestContext) -> bool:
    """Return whether the template is one placeholder of a sound or a video."""
    if context.fields is None:
        return True
    sounds = {field.name for field in context.fields if field.type in TIMED}
    return len(template.parts) == 1 and bool(template.names) and template.names <= sounds
