"""How a model is called: one section of its manifest, read into what the worker's dialect needs."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.expressions import Template
from engine.failures import SettingsError
from engine.models.checks import strangers


@dataclass(frozen=True, slots=True, kw_only=True)
class Builtin:
    """The worker answers by itself, with the values put into a template."""

    template: Template


Call = Builtin
"""Every way there is."""


def parse_builtin(table: Mapping[str, Any], fields: Iterable[str] | None) -> Builtin:
    """Read `[builtin]`; `fields` are the names it may use. Raises SettingsError, every reason."""
    reasons = list(strangers("", table, ("template",)))
    text = table.get("template")
    if not isinstance(text, str) or not text:
        raise SettingsError(*reasons, ".template must be a text")
    try:
        template = Template.parse(text)
    except SettingsError as error:
        raise SettingsError(*reasons, *(f".template: {each}" for each in error.reasons)) from None
    unfit = [] if fields is None else sorted(template.names - set(fields))
    reasons += [f".template has '{name}', and no field is called that" for name in unfit]
    if reasons:
        raise SettingsError(*reasons)
    return Builtin(template=template)


Parser = Callable[[Mapping[str, Any], Iterable[str] | None], Call]

CALLS: dict[str, Parser] = {"builtin": parse_builtin}
"""The sections by name; a manifest has exactly one of them."""
