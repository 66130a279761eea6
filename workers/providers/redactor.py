"""What must never be told: the values of the variables that manifests name for keys."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote

from engine.models.registry import all_models

SHORTEST = 4
"""A key this short would be found in every other word."""
HIDDEN = "[secret]"


def known_secrets(environ: Mapping[str, str]) -> set[str]:
    """The keys of all providers that the registry knows."""
    endpoints = (model.call.endpoint for model in all_models())
    names = {each.api_key_env for each in endpoints if each}
    return {environ[name].strip() for name in names if environ.get(name)}


def hide(text: str, secrets: Iterable[str]) -> str:
    """The text without the secrets, however they are written."""
    redactor = SecretRedactor(secrets)
    return redactor.take(text) + redactor.rest()


class SecretRedactor:
    """Hides secrets in a text that comes piece by piece, wherever the pieces end."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._forms = sorted({form for each in secrets for form in _forms(each)}, key=len)[::-1]
        self._longest = len(self._forms[0]) if self._forms else 0
        # The longest of those that begin at one place is the one that is found.
        self._pattern = re.compile("|".join(map(re.escape, self._forms)))
        self._held = ""

    def take(self, piece: str) -> str:
        """What may be told by now; the beginning of what may be a secret is held back."""
        if not self._forms:
            return piece
        text = self._held + piece
        end = self._begun(text)
        self._held = text[end:]
        return self._pattern.sub(HIDDEN, text[:end])

    def rest(self) -> str:
        """What was held back, when nothing more comes."""
        held, self._held = self._held, ""
        return self._pattern.sub(HIDDEN, held) if self._forms else held

    def _begun(self, text: str) -> int:
        """Where at the text's end a secret begins that may go on; the end if there is none."""
        start = max(0, len(text) - self._longest + 1)
        begun = [at for at in range(start, len(text)) if self._may_go_on(text[at:])]
        if not begun:
            return len(text)
        found = [match.span() for match in self._pattern.finditer(text)]
        outside = (at for at in begun if not any(first < at < last for first, last in found))
        return next(outside, len(text))

    def _may_go_on(self, ending: str) -> bool:
        return any(form.startswith(ending) and form != ending for form in self._forms)


def _forms(secret: str) -> Iterator[str]:
    if len(secret) >= SHORTEST:
        yield from (secret, quote(secret, safe=""), json.dumps(secret)[1:-1])
