"""All settings, read from `HEADRACE_*` environment variables in one place."""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

PREFIX = "HEADRACE_"
TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"", "0", "false", "no", "off"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What an operator may set; each field is the variable `HEADRACE_<NAME>`."""

    redis_url: str = "redis://127.0.0.1:6379/0"
    """State: `redis://`, `rediss://` or `unix://`."""
    redis_memory_bytes: int = 0
    """`maxmemory` of the Redis that `headrace up` starts; 0: a third of the machine's memory."""
    queue_url: str = ""
    """Hints, when they live in another Redis or database; empty: beside the state."""
    host: str = "127.0.0.1"
    port: int = 8000
    metrics_host: str = ""
    """Where `/metrics` listens by itself; empty: on the API's own port."""
    metrics_port: int = 0
    public_url: str = ""
    """Where browsers reach the gateways when a proxy stands before them: `https://…`."""
    sync_timeout: float = 600.0
    """Longest wait of a synchronous caller, in seconds."""
    retention_days: float = 30.0
    media_url: str = ""
    """Where media are kept: `file:///FOLDER` or `s3://BUCKET/PREFIX`; empty: nowhere."""
    media_free_bytes: int = 1_073_741_824
    """What a media folder's file system keeps free, a quarter of it at most; 0: nothing."""
    max_asset_bytes: int = 104_857_600
    asset_retention_days: float = 0.0
    """How long media are kept that no execution needs; 0: as long as executions."""
    trusted_proxies: str = ""
    """Networks whose `X-Forwarded-For` is believed, with commas between."""
    cors_origins: str = ""
    """Origins whose pages may call the API with a key, with commas between; `*`: all."""
    failed_calls_per_minute: int = 300
    """Calls that an address may fail with before it is known who calls; 0: any number."""
    max_body_bytes: int = 1_048_576
    max_run_bytes: int = 67_108_864
    """All node outputs of one execution together, in bytes."""
    worker_slots: int = 10_000
    """Executions one worker process holds at once, waiting ones included."""
    worker_memory_bytes: int = 0
    """What all executions in one worker process hold; 0: a sixteenth of the machine's memory."""
    max_queue: int = 50_000
    """Hints that may wait for workers before runs are refused; 0: any number."""
    cpu_slots: int = 0
    """Child processes for heavy nodes and expressions; 0: one per core."""
    drain_seconds: float = 30.0
    """How long a stopping process lets running nodes finish."""
    lease_seconds: float = 3.0
    """A worker that was silent this long is taken for dead."""
    secret_key: str = field(default="", repr=False)
    """What secrets are sealed with at rest; several with commas: the first seals, all open."""
    allow_private_urls: bool = False
    """Development and tests: outbound calls may reach private addresses and any port."""
    webhook_time_scale: float = 1.0
    """Development and tests: the pauses between attempts at a webhook are multiplied by this."""
    webhook_host_at_once: int = 20
    """Deliveries under way to one host, over all workers; 0: any number."""
    webhook_host_per_second: int = 50
    """Deliveries in a second to a host that has not answered 2xx for an hour; 0: any number."""
    models_dir: str = ""
    """A folder of manifests of one's own, beside and before the models that ship."""
    local_model: str = ""
    """A GGUF file for the model that runs here; empty: the one that an extra carries."""
    local_model_url: str = ""
    """Where workers find it, `http://HOST:PORT/v1`; `headrace up --local` says so by itself."""
    tell_setup: bool = False
    """Callers are told which variable lacks the key of a model; `headrace up` says so by itself."""
    actors: str = ""
    """Modules with Dramatiq actors of one's own that workers run, with commas between."""
    actor_threads: int = 8
    """Of them, as many run at once in one worker process."""
    tiers_file: str = ""
    """A TOML file that changes what tiers give; empty: as `engine/access/tiers.toml` says."""
    log_level: str = "INFO"


class SettingError(ValueError):
    """A variable's value does not parse; the message names it."""


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
            return _parse_number(kind, text)
    except ValueError as error:
        raise SettingError(f"{name}: {text!r} is not a valid value ({error})") from None
    return text


def _parse_number(kind: type[int] | type[float], text: str) -> float:
    number = kind(text)
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
