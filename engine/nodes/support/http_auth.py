"""Authorization of an HTTP Request by a secret of the account."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.access.opened_secrets import OpenedSecrets
from engine.errors.nodes import NodeFailed
from engine.ids.secret_names import NAME, NAME_WORDS, is_secret_name
from engine.net.header_policy import header_fault
from engine.nodes.support.settings import Faults, Setting

BEARER, BASIC, HEADER = TYPES = ("bearer", "basic", "header")
AUTHORIZATION = "Authorization"
MADE_FROM_BODY = frozenset({"content-type"})


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAuth:
    """Header of each call that carries a secret of the account."""

    type: str
    secret: str
    """Name of the secret."""
    header: str = AUTHORIZATION

    def value(self, secrets: OpenedSecrets) -> str:
        """Return the value of the header. Raises NodeFailed."""
        found = secrets.values[self.secret]
        if self.type == BEARER:
            return f"Bearer {found}"
        if self.type == HEADER:
            return found
        if ":" not in found:
            message = f"The secret '{self.secret}' is not 'user:password', as 'basic' needs it"
            raise NodeFailed("secret_invalid", message)
        secrets.hide(found.partition(":")[2])
        return f"Basic {base64.b64encode(found.encode()).decode()}"


def _read(raw: Any, path: str, faults: Faults) -> HttpAuth | None:
    if not isinstance(raw, dict):
        faults.add(path, "must be an object with 'type' and 'secret'")
        return None
    kind, secret, before = raw.get("type"), raw.get("secret"), len(faults.found)
    if kind not in TYPES:
        faults.add(f"{path}.type", f"must be one of {', '.join(TYPES)}")
    if not is_secret_name(secret):
        faults.add(f"{path}.secret", f"must be the name of a secret: {NAME_WORDS}")
    header = _read_header(raw, path, faults) if kind == HEADER else AUTHORIZATION
    if len(faults.found) > before or header is None:
        return None
    return HttpAuth(type=str(kind), secret=str(secret), header=header)


def _read_header(raw: Mapping[str, Any], path: str, faults: Faults) -> str | None:
    name = raw.get("name")
    if not isinstance(name, str):
        faults.add_rule(f"{path}.name must be the name of a header", f"{path}.name")
        return None
    reason = "cannot be set here" if name.lower() in MADE_FROM_BODY else header_fault(name)
    if reason:
        faults.add_rule(f"{path}.name: {name[:64]!r} {reason}", f"{path}.name")
    return name


AUTH = Setting(
    name="auth",
    about="A secret of the account that each call carries: `type` is bearer, basic (of "
    "user:password) or header (`name` is the header), `secret` its name.",
    widget="auth",
    value={
        "type": "object",
        "properties": {
            "type": {"enum": [*TYPES]},
            "secret": {"type": "string", "pattern": f"^(?:{NAME})$"},
            "name": {},
        },
        "required": ["type", "secret"],
    },
    parse=_read,
)
