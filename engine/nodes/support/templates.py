"""Templates typed on nodes, whose placeholders are input sockets."""

from collections.abc import Collection

from engine.errors.nodes import SettingsError
from engine.values.templates import Template

EMPTY = Template(parts=(), names=frozenset())


def read_template(
    member: str, text: object, reasons: list[str], taken: Collection[str] = ()
) -> Template:
    """Parse a template whose placeholders must differ from the `taken` sockets.

    Faults are added to `reasons`; an invalid template becomes an empty one.
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
