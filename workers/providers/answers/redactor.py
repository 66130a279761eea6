"""Redaction of secrets: values of the variables that manifests name for keys."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote

from engine.models.registry import all_models

SHORTEST = 4
"""A shorter key would be found in many words."""
HIDDEN = "[secret]"


def known_secrets(environ: Mapping[str, str]) -> set[str]:
    """Return the keys of all providers in the registry."""
    endpoints = (model.call.endpoint for model in all_models())
    names = {each.api_key_env for each in endpoints if each}
    return {environ[name].strip() for name in names if environ.get(name)}


def redact(text: str, secrets: Iterable[str]) -> str:
    """Return the text without the secrets, in any of their forms."""
    redactor = SecretRedactor(secrets)
    return redactor.redact_piece(text) + redactor.flush()


class SecretRedactor:
    """Redacts secrets in a text that comes piece by piece, across the ends of pieces."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._forms = sorted({form for each in secrets for form in _forms(each)}, key=len)[::-1]
        self._longest = len(self._forms[0]) if self._forms else 0
        # Of secrets that begin at one place, the longest is found.
        self._pattern = re.compile("|".join(map(re.escape, self._forms)))
        self._pending = ""

    def redact_piece(self, piece: str) -> str:
        """Return the text that is safe by now; a possible start of a secret is held back."""
        if not self._forms:
            return piece
        text = self._pending + piece
        end = self._find_partial(text)
        self._pending = text[end:]
        return self._pattern.sub(HIDDEN, text[:end])

    def flush(self) -> str:
        """Return the text that was held back, at the end."""
        pending, self._pending = self._pending, ""
        return self._pattern.sub(HIDDEN, pending) if self._forms else pending

    def _find_partial(self, text: str) -> int:
        """Return the position of a possible start of a secret at the end, or the end."""
        start = max(0, len(text) - self._longest + 1)
        partial = [at for at in range(start, len(text)) if self._may_go_on(text[at:])]
        if not partial:
            return len(text)
        found = [match.span() for match in self._pattern.finditer(text)]
        outside = (at for at in partial if not any(first < at < last for first, last in found))
        return next(outside, len(text))

    def _may_go_on(self, ending: str) -> bool:
        return any(form.startswith(ending) and form != ending for form in self._forms)


def _forms(secret: str) -> Iterator[str]:
    if len(secret) >= SHORTEST:
        yield from (secret, quote(secret, safe=""), json.dumps(secret)[1:-1])
