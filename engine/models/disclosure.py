"""Manifests as admins read them: without keys that an operator has put into headers."""

import re
from collections.abc import Iterator

from engine.models.manifest import Model

HIDDEN = "•••"
SECRET_NAME = re.compile("auth|cookie|key|password|secret|token", re.IGNORECASE)
"""Names of headers that may hold a key."""
ALL_HIDDEN = "# A header holds a key and is written with escapes, so that nothing is shown here.\n"


def disclosed_manifest(model: Model) -> str:
    """Return the manifest of a model; values of headers that may hold keys are hidden."""
    text = model.manifest
    for value in set(_secret_values(model)):
        quoted = re.compile(rf"""(["']){re.escape(value)}\1""")
        text, count = quoted.subn(rf"\g<1>{HIDDEN}\g<1>", text)
        if not count and value not in text:
            return ALL_HIDDEN
        text = text if count else text.replace(value, HIDDEN)
    return text


def _secret_values(model: Model) -> Iterator[str]:
    endpoint = model.call.endpoint
    for name, value in endpoint.headers if endpoint else ():
        if value and SECRET_NAME.search(name):
            yield value
