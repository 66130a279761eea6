"""Members shared by all sections that call a provider: address, credentials and headers."""

from collections.abc import Mapping
from dataclasses import dataclass

from engine.models.tables.table_reader import TableReader

ENDPOINT_MEMBERS = (
    *("base_url", "base_url_env", "setup", "api_key_env", "key_header", "key_prefix"),
    *("idempotency_header", "headers", "timeout_seconds", "keep_alive"),
)
MAX_SECONDS = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderEndpoint:
    """Address of a provider, variables of its secrets, and headers of every call."""

    base_url: str
    """Empty: `base_url_env` is required."""
    base_url_env: str
    """Variable that overrides the base URL."""
    setup: str
    """Instruction for a missing `base_url_env`, as a sentence."""
    api_key_env: str
    """Variable of the key; empty: no key is needed."""
    key_header: str
    key_prefix: str
    idempotency_header: str
    """Header of the idempotency key; empty: the provider supports none."""
    headers: tuple[tuple[str, str], ...]
    timeout_seconds: float
    """Time limit of one call or job."""
    keep_alive: bool
    """Connections are reused."""

    def place(self, environ: Mapping[str, str]) -> str:
        """Return the URL prefix of calls; empty if the required variable is not set."""
        return environ.get(self.base_url_env) or self.base_url


def read_endpoint(
    reader: TableReader,
    *,
    base_url: str | None = None,
    key_header: str = "Authorization",
    key_prefix: str = "Bearer ",
    timeout_seconds: float = 300.0,
) -> ProviderEndpoint:
    """Read the shared members, with a section's own defaults."""
    prefix = reader.text("key_prefix", key_prefix) if reader.has("key_prefix") else key_prefix
    if reader.has("key_header") and not reader.has("key_prefix"):
        prefix = ""
    if reader.has("setup"):
        reader.require("base_url_env")
        base_url = ""
    return ProviderEndpoint(
        base_url=reader.url("base_url", base_url),
        base_url_env=reader.variable("base_url_env"),
        setup=reader.text("setup", ""),
        api_key_env=reader.variable("api_key_env"),
        key_header=reader.header("key_header", key_header),
        key_prefix=prefix,
        idempotency_header=reader.header("idempotency_header"),
        headers=reader.headers("headers"),
        timeout_seconds=reader.number("timeout_seconds", timeout_seconds, MAX_SECONDS),
        keep_alive=reader.flag("keep_alive", default=True),
    )
