"""What must never be told: the values of the variables that manifests name for keys."""

import json
from collections.abc import Iterable, Mapping
from urllib.parse import quote

from engine.models.registry import all_models
from engine.models.sections.builtin import Builtin

SHORTEST = 4
"""A key this short would be found in every other word."""
HIDDEN = "[secret]"


def known_secrets(environ: Mapping[str, str]) -> set[str]:
    """The keys of all providers that the registry knows."""
    calls = (model.call for model in all_models())
    names = {each.endpoint.api_key_env for each in calls if not isinstance(each, Builtin)}
    return {environ[name].strip() for name in names if environ.get(name)}


def hide(text: str, secrets: Iterable[str]) -> str:
    """The text without the secrets, however they are written."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= SHORTEST:
            for form in (secret, quote(secret, safe=""), json.dumps(secret)[1:-1]):
                text = text.replace(form, HIDDEN)
    return text
