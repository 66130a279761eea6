"""All settings, read from `HEADRACE_*` environment variables in one place."""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

PREFIX = "HEADRACE_"
TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
PORTS = 65_536
FALSE_WORDS = frozenset({"", "0", "false", "no", "off"})
LEAST_HOT_MS = 5_000
"""Least time for which Redis keeps ended executions: event feeds look for ends each second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of an installation; each field is the variable `HEADRACE_<NAME>`."""

    redis_url: str = "redis://127.0.0.1:6379/0"
    """State: `redis://`, `rediss://`, `unix://`, `redis+sentinel://H1:P,H2:P/SERVICE` or
    `redis+cluster://H1:P,H2:P`; `rediss+…` with TLS."""
    redis_memory_bytes: int = 0
    """`maxmemory` of the Redis that `headrace up` starts; 0: a third of the machine's memory."""
    queue_url: str = ""
    """Redis URL of the hints, if it differs from that of the state; empty: the same."""
    redis_tls_cert: str = ""
    """File with this client's certificate (PEM), for a Redis that asks for one; empty: none."""
    redis_tls_key: str = ""
    """File with the key of that certificate (PEM)."""
    redis_tls_ca: str = ""
    """File with the certificates of the authorities that are trusted for Redis; empty: the
    system's."""
    database_url: str = ""
    """Database of the history: `sqlite:///FILE` or `postgresql://…`; empty: none, but `headrace up`
    makes a file of SQLite."""
    hot_minutes: float = 60.0
    """Time for which Redis keeps ended executions that are in the history; at least 5 seconds."""
    host: str = "127.0.0.1"
    port: int = 8000
    metrics_host: str = ""
    """Separate host for `/metrics`; empty: on the API's own port."""
    metrics_port: int = 0
    health_host: str = "127.0.0.1"
    """Address on which a worker answers probes."""
    health_port: int = 0
    """Port on which a worker answers `/healthz` and `/readyz`; 0: none."""
    public_url: str = ""
    """Public URL of the gateways behind a proxy: `https://…`."""
    sync_timeout: float = 600.0
    """Longest wait of a synchronous caller, in seconds."""
    retention_days: float = 30.0
    audit_days: float = 365.0
    """Retention of entries of the audit log."""
    media_url: str = ""
    """Media store: `file:///FOLDER` or `s3://BUCKET/PREFIX`; empty: none."""
    media_free_bytes: int = 1_073_741_824
    """Free space to preserve on a media folder's file system, at most a quarter of it; 0: none."""
    max_asset_bytes: int = 104_857_600
    asset_retention_days: float = 0.0
    """Retention of media that no execution needs; 0: as long as executions."""
    trusted_proxies: str = ""
    """Networks whose `X-Forwarded-For` is trusted, separated by commas."""
    cors_origins: str = ""
    """Origins whose pages may call the API with a key, separated by commas; `*`: all."""
    failed_calls_per_minute: int = 300
    """Failed authentications allowed per address; 0: any number."""
    max_body_bytes: int = 1_048_576
    max_run_bytes: int = 67_108_864
    """All node outputs of one execution and its children together, in bytes."""
    worker_slots: int = 10_000
    """Executions one worker process holds at once, waiting ones included."""
    worker_memory_bytes: int = 0
    """Memory of all executions in one worker process; 0: a sixteenth of the machine's."""
    max_queue: int = 50_000
    """Waiting hints from which on new runs are refused; 0: any number."""
    cpu_slots: int = 0
    """Child processes for heavy nodes and expressions; 0: one per core."""
    drain_seconds: float = 30.0
    """Time that a stopping process gives running nodes to finish."""
    unknown_wait_minutes: float = 60.0
    """Time for which an execution waits for a worker that knows its nodes and settings."""
    lease_seconds: float = 3.0
    """A worker that was silent for this long counts as dead."""
    secret_key: str = field(default="", repr=False)
    """Keys that seal secrets at rest, separated by commas: the first seals, all open."""
    allow_private_urls: bool = False
    """Development and tests: outbound calls may reach private addresses and any port."""
    webhook_time_scale: float = 1.0
    """Development and tests: factor of the delays between attempts at a webhook."""
    webhook_host_at_once: int = 20
    """Concurrent deliveries to one host, over all workers; 0: any number."""
    webhook_host_per_second: int = 50
    """Deliveries per second to a host that has not answered 2xx for an hour; 0: any number."""
    models_dir: str = ""
    """Folder of the operator's manifests, which override the shipped models."""
    local_model: str = ""
    """GGUF file of the local model; empty: the one of the extra."""
    local_model_url: str = ""
    """URL of the local model, `http://HOST:PORT/v1`; `headrace up --local` sets it."""
    demo_provider_url: str = ""
    """URL of the demo provider; `headrace up --demo-provider` sets it."""
    tell_setup: bool = False
    """Errors name the variable that lacks a model's key; `headrace up` sets this."""
    actors: str = ""
    """Modules with the operator's own Dramatiq actors, separated by commas."""
    actor_threads: int = 8
    """Own actors that run at once in one worker process."""
    tiers_file: str = ""
    """TOML file that overrides the terms of tiers in `engine/access/tiers.toml`; empty: none."""
    log_level: str = "INFO"
    """Level of all log lines and, after commas, of parts: `INFO,workers.webhooks=DEBUG`."""
    access_log: str = ""
    """Log of requests: a file, or `1` for standard error; empty: none."""
    execution_log: str = ""
    """Log of ended executions: a file, `1`, `failed` or `0`; empty: that of requests, or
    `failed`."""
    trace_url: str = ""
    """Template of links to traces: a URL with `{traceId}`; empty: no links."""
    trace_outbound: bool = False
    """Calls to other hosts carry `traceparent` too, beside those to this installation, the local
    model and the demo provider."""

    @property
    def hot_ms(self) -> int:
        """Time for which Redis keeps archived executions, in milliseconds."""
        return max(LEAST_HOT_MS, int(self.hot_minutes * 60_000))


class SettingError(ValueError):
    """The value of a variable is invalid; the message names the variable."""


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from the environment. Raises SettingError naming the variable."""
    environ = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    for each in fields(Settings):
        name = PREFIX + each.name.upper()
        if name in environ:
            values[each.name] = _parse(name, each.type, environ[name])
    return Settings(**values)


def _parse(name: str, kind: object, text: str) -> object:
    try:
        if kind is bool:
            return _parse_bool(text)
        if kind is int or kind is float:
            return _parse_number(kind, text, is_port=name.endswith("PORT"))
    except ValueError as error:
        raise SettingError(f"{name}: {text!r} is not a valid value ({error})") from None
    return text


def _parse_number(kind: type[int] | type[float], text: str, *, is_port: bool) -> float:
    try:
        number = kind(text)
    except ValueError:
        raise ValueError("use a whole number" if kind is int else "use a number") from None
    if is_port and number >= PORTS:
        raise ValueError(f"a port is less than {PORTS}")
    if not 0 <= number < math.inf:
        raise ValueError("use a number that is not negative")
    return number


def _parse_bool(text: str) -> bool:
    word = text.strip().lower()
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise ValueError("use 1 or 0")
