"""What every section has that calls a provider: where it is, and how it knows us."""

from collections.abc import Mapping
from dataclasses import dataclass

from engine.models.table_reader import TableReader

ENDPOINT_MEMBERS = (
    *("base_url", "base_url_env", "setup", "api_key_env", "key_header", "key_prefix"),
    *("idempotency_header", "headers", "timeout_seconds", "keep_alive"),
)
MAX_SECONDS = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderEndpoint:
    """A provider's address, the variables that hold its secrets, and headers for every call."""

    base_url: str
    """Empty: only `base_url_env` says where it is."""
    base_url_env: str
    """The variable that, where it is set, says another address."""
    setup: str
    """What to do where that variable must be set and is not, as a sentence."""
    api_key_env: str
    """The variable that holds the key; empty: it needs none."""
    key_header: str
    key_prefix: str
    idempotency_header: str
    """Where the call is named so that it is not done twice; empty: the provider has none."""
    headers: tuple[tuple[str, str], ...]
    timeout_seconds: float
    """The longest that one call, or one job, may take."""
    keep_alive: bool
    """Whether a connection is used for more than one call."""

    def place(self, environ: Mapping[str, str]) -> str:
        """The URL that calls begin with; empty where a variable should say it and does not."""
        return environ.get(self.base_url_env) or self.base_url


def read_endpoint(
    reader: TableReader,
    *,
    base_url: str | None = None,
    key_header: str = "Authorization",
    key_prefix: str = "Bearer ",
    timeout_seconds: float = 300.0,
) -> ProviderEndpoint:
    """Read the members that all sections share, with a section's own defaults."""
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
