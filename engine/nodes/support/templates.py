"""Texts that are typed on nodes, with placeholders for what is wired."""

from collections.abc import Collection

from engine.errors.nodes import SettingsError
from engine.values.templates import Template

EMPTY = Template(parts=(), names=frozenset())


def read_template(
    member: str, text: object, reasons: list[str], taken: Collection[str] = ()
) -> Template:
    """A template whose placeholders are sockets beside those that are taken.

    What is wrong goes to the reasons; a template that is none is an empty one then.
    """
    try:
        if not isinstance(text, str):
            raise SettingsError("must be a text")
        template = Template.parse(text)
    except SettingsError as error:
        reasons += [f"{member}: {reason}" for reason in error.reasons]
        return EMPTY
    reasons += [
        f"{member}: '{socket}' is a socket already; the placeholder needs another name"
        for socket in sorted(template.names.intersection(taken))
    ]
    return template
