"""Hosts to which a secret is sent: names and addresses, or all names below a domain."""

import re
from collections.abc import Collection, Sequence

from engine.errors import InvalidSecret
from engine.net.url_policy import UrlRefused, check_url

MAX_HOSTS = 20
BELOW = "*."
PARTS = re.compile(r"[/?#]|:80$")
"""Parts of a URL beside a host that leave no trace in how it is spelled."""
WORDS = (
    "is no host: write 'api.example.com', an address, or '*.example.com' for all names below it, "
    "without scheme, port and path"
)
MAX_SHOWN = 64


def read_hosts(value: object) -> tuple[str, ...]:
    """Return the hosts as URLs spell them; none: any host. Raises InvalidSecret."""
    if value is None:
        return ()
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_HOSTS:
        message = f"'hosts' is a list of 1 to {MAX_HOSTS} hosts, or null for any host"
        raise InvalidSecret("hosts", message)
    return tuple(dict.fromkeys(map(_read_host, value)))


def _read_host(text: object) -> str:
    if not isinstance(text, str):
        raise InvalidSecret("hosts", "Each of 'hosts' is a text")
    below = BELOW if text.startswith(BELOW) else ""
    name = text.removeprefix(BELOW)
    spelled = f"[{name}]" if ":" in name and not name.startswith("[") else name
    try:
        target = check_url(f"http://{spelled}/", allow_private=True)
        is_whole = not PARTS.search(name) and target.url == f"http://{target.bracketed_host}/"
    except UrlRefused:
        is_whole = False
    if not is_whole or (below and not _is_domain(target.host)):
        raise InvalidSecret("hosts", f"'{text[:MAX_SHOWN]}' {WORDS}")
    return below + target.host


def _is_domain(host: str) -> bool:
    """Return whether a host is a name of several labels: `*.com` would name most of the world."""
    labels = host.split(".")
    return ":" not in host and len(labels) > 1 and not labels[-1].isdigit()


def is_sent_to(hosts: Collection[str], host: str) -> bool:
    """Return whether a secret of these hosts may be sent to a host; no hosts: to any."""
    return not hosts or host in hosts or any(below in hosts for below in _domains_above(host))


def _domains_above(host: str) -> Sequence[str]:
    labels = host.split(".")
    return [BELOW + ".".join(labels[start:]) for start in range(1, len(labels))]
