"""Checks of `headrace doctor`: each reports an observation and a fix."""

import asyncio
import resource
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from deploy.local_model import INSTALL, is_installed, is_serving
from deploy.net.http_client import Unreachable, call
from deploy.stack.location import LOCAL_MODEL_URL, Stack
from deploy.stack.redis_server import MINIMUM_VERSIONS
from engine.errors import EngineError
from engine.ids import partitions
from engine.media.disk import Disk
from engine.media.objects import ObjectStore
from engine.models import registry
from engine.models.availability import WorkerVariables
from engine.services.metrics.machine_clock import MAX_OFFSET_SECONDS
from engine.settings import SettingError, load
from engine.store import Store
from engine.store.redis.info import parse_memory, read_infos

MIN_DESCRIPTORS = 4_096
OVERCOMMIT, OVERCOMMITS = Path("/proc/sys/vm/overcommit_memory"), "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Result of one check; `fix` is the remedy when it fails or warns."""

    name: str
    is_well: bool
    seen: str
    fix: str = ""
    warns: bool = False
    """The check passes, yet the fix should be applied."""

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON object of the result."""
        warning = {"warning": True} if self.warns else {}
        fix = {"fix": self.fix} if self.needs_fix else {}
        judged = {"name": self.name, "state": self.state, "ok": self.is_well}
        return {**judged, "seen": self.seen, **warning, **fix}

    @property
    def state(self) -> str:
        """Return `ok`, `warning` or `failed`."""
        return "failed" if not self.is_well else "warning" if self.warns else "ok"

    @property
    def needs_fix(self) -> bool:
        """Whether the fix should be applied."""
        return self.warns or not self.is_well


async def check_store(store: Store) -> list[Check]:
    """Check the Redis of a stack, and its workers."""
    try:
        infos = await read_infos(store.client)
        before = time.time()
        seconds, micros = await store.client.send("TIME")
        skew = int(seconds) + int(micros) / 1e6 - (before + time.time()) / 2
        leases = await store.leases.workers()
        secret_key = await _secret_key(store)
    except (EngineError, RuntimeError) as error:
        return [no_redis(str(error))]
    now_ms = int(seconds) * 1000
    return [
        *(_worst(check, infos) for check in (_version, _append_only, _eviction, _memory)),
        _clock(skew),
        _partitions(),
        _workers(sum(until > now_ms for until in leases.values())),
        secret_key,
    ]


def _worst(
    check: Callable[[Mapping[str, str]], Check], infos: Sequence[Mapping[str, str]]
) -> Check:
    """Return the worst result over the servers, which it names if a cluster has several."""
    results = [(check(info), info.get("tcp_port", "")) for info in infos]
    worst, port = min(results, key=lambda result: (result[0].is_well, not result[0].warns))
    if len(results) == 1:
        return worst
    place = f"the primary on port {port}" if worst.needs_fix else f"{len(results)} primaries"
    return replace(worst, seen=f"{worst.seen} ({place})")


def _partitions() -> Check:
    seen = f"{partitions.count()}, chosen when the installation began"
    return Check(name="partitions", is_well=True, seen=seen)


def no_redis(reason: str) -> Check:
    """Return the one result for a Redis that does not answer."""
    return Check(
        name="redis",
        is_well=False,
        seen=reason,
        fix="Start the stack with `headrace up`, or correct HEADRACE_REDIS_URL: address, password.",
    )


def wrong_redis(seen: str, fix: str) -> Check:
    """Return the one result for a Redis without this installation's data."""
    return Check(name="installation", is_well=False, seen=seen, fix=fix)


async def check_gateway(stack: Stack) -> Check:
    """Check that the API answers and is ready."""
    if stack.url is None:
        return Check(name="gateway", is_well=True, seen="not run by `headrace up` here")
    try:
        status, _ = await asyncio.to_thread(call, "GET", f"{stack.url}/readyz", timeout=5)
        seen, is_well = f"{stack.url} answers {status}", status == 200
    except Unreachable as error:
        seen, is_well = str(error), False
    return Check(
        name="gateway",
        is_well=is_well,
        seen=seen,
        fix="Look at the gateway's lines in the output of `headrace up`; another --port may help.",
    )


async def check_local_model(stack: Stack) -> Check:
    """Check that a configured local model answers."""
    url = stack.settings.get(LOCAL_MODEL_URL)
    if url is None:
        how = "not started: headrace up --local" if is_installed() else f"not installed: {INSTALL}"
        return Check(name="local model", is_well=True, seen=how)
    serves = await is_serving(url)
    return Check(
        name="local model",
        is_well=serves,
        seen=f"{url} {'answers' if serves else 'does not answer'}",
        fix=f"Look at the model's lines in the output of `headrace up --local`; {INSTALL} installs "
        "what it needs.",
    )


async def check_media(environ: Mapping[str, str]) -> Check:
    """Check that media can be stored, read and removed, and report the free space of a folder."""
    free_space = ""
    try:
        objects = ObjectStore.from_settings(load(environ))
        free_space = _free_space(await objects.disk())
        await objects.check()
        seen, is_well = "can be stored, read and removed", True
    except (EngineError, SettingError) as error:
        seen, is_well = str(error), False
    except OSError as error:
        seen, is_well = f"the folder cannot be used: {error.strerror or error}", False
    return Check(
        name="media",
        is_well=is_well,
        seen=seen + free_space,
        fix="Set HEADRACE_MEDIA_URL to file:///FOLDER, which must be writable and have more room "
        "than HEADRACE_MEDIA_FREE_BYTES, or to s3://BUCKET/PREFIX with the AWS_* variables; the "
        "log says what went wrong.",
    )


def _free_space(disk: Disk | None) -> str:
    if disk is None:
        return ""
    return f"; {disk.free_bytes:,} bytes are free, of which {disk.kept_bytes:,} are to stay so"


def check_models(store: Store) -> Check:
    """Check all manifests, of the models folder and saved ones."""
    wrong = [line for error in registry.folder_errors() for line in str(error).splitlines()]
    saved = store.models.left_out().items()
    wrong += [f"saved model {name}: {'; '.join(reasons)}" for name, reasons in saved]
    count = len(registry.all_models())
    return Check(
        name="models",
        is_well=not wrong,
        seen="; ".join(wrong) or f"{count}, all manifests are right",
        fix="Correct the manifests; those of a folder `headrace model check FOLDER` checks before "
        "they count. The others are not affected.",
    )


def check_overcommit(stack: Stack) -> Check:
    """Check that the kernel lets a local Redis fork while much of the memory is used."""
    if not stack.redis_url.startswith("unix:"):
        return Check(name="overcommit", is_well=True, seen="Redis may run on another machine")
    try:
        value = OVERCOMMIT.read_text().strip()
    except OSError:
        return Check(name="overcommit", is_well=True, seen="not a setting of this system")
    return Check(
        name="overcommit",
        is_well=True,
        seen=f"vm.overcommit_memory = {value}",
        warns=value != OVERCOMMITS,
        fix="Run `sysctl vm.overcommit_memory=1` as root and write it to /etc/sysctl.conf: else "
        "Redis may fail to rewrite its file when memory is scarce, and the file grows.",
    )


async def check_providers(store: Store) -> Check:
    """Report the models that workers can call, and the variables that the others need."""
    try:
        workers = WorkerVariables(sets=await store.leases.variables())
    except (EngineError, RuntimeError) as error:
        return Check(name="providers", is_well=False, seen=str(error))
    models, without = registry.all_models(), dict[str, list[str]]()
    for model in models:
        for name in sorted(workers.missing(model)):
            without.setdefault(name, []).append(model.internal_name)
    lacking = set().union(*without.values())
    missing = ", ".join(f"{name} ({', '.join(models)})" for name, models in sorted(without.items()))
    return Check(
        name="providers",
        is_well=True,
        seen=f"workers can call {len(models) - len(lacking)} of {len(models)} models"
        + (f"; none of them has {missing}" if missing else ""),
    )


def check_descriptors() -> Check:
    """Check that this shell lets a process open enough connections."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = soft == resource.RLIM_INFINITY
    return Check(
        name="file descriptors",
        is_well=unlimited or soft >= MIN_DESCRIPTORS,
        seen="unlimited" if unlimited else f"{soft} per process",
        fix="Raise the limit before starting the stack: `ulimit -n 65536`.",
    )


async def _secret_key(store: Store) -> Check:
    try:
        fits = await store.seals.fit()
        seen = "opens what is sealed" if fits else "not the one that secrets are sealed with"
    except SettingError:
        fits, seen = False, "not set"
    return Check(
        name="secret key",
        is_well=fits,
        seen=seen,
        fix="Give this command and every gateway and worker the same HEADRACE_SECRET_KEY; "
        "`headrace up` keeps its own in the data directory as secret.key.",
    )


def _version(info: Mapping[str, str]) -> Check:
    product = info.get("server_name", "redis")
    version = info.get("valkey_version") or info.get("redis_version", "0.0")
    minimum = MINIMUM_VERSIONS.get(product, MINIMUM_VERSIONS["redis"])
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    return Check(
        name="redis",
        is_well=numbers >= minimum,
        seen=f"{product} {version}",
        fix="Use Redis 7.4 or newer, or Valkey 8.0 or newer.",
    )


def _append_only(info: Mapping[str, str]) -> Check:
    is_on = info.get("aof_enabled") == "1"
    written = info.get("aof_last_write_status", "ok")
    return Check(
        name="append-only file",
        is_well=is_on and written == "ok",
        seen=f"on, last write {written}" if is_on else "off",
        fix="Run `CONFIG SET appendonly yes` and write it to the configuration; "
        "without it a restart of Redis loses what was accepted.",
    )


def _eviction(info: Mapping[str, str]) -> Check:
    policy = info.get("maxmemory_policy", "unknown")
    return Check(
        name="eviction",
        is_well=policy == "noeviction",
        seen=policy,
        fix="Run `CONFIG SET maxmemory-policy noeviction`: executions must not be evicted.",
    )


def _memory(info: Mapping[str, str]) -> Check:
    memory = parse_memory(info)
    if not memory.limit:
        return Check(
            name="memory",
            is_well=True,
            seen=f"{memory.used:,} bytes used, and no limit (maxmemory)",
            warns=True,
            fix="Run `CONFIG SET maxmemory` with what the machine can spare and write it to the "
            "configuration: at its limit Redis refuses new runs and ends accepted ones; without "
            "one the machine runs out of memory.",
        )
    return Check(
        name="memory",
        is_well=not memory.is_nearly_full,
        seen=f"{memory.used:,} of {memory.limit:,} bytes used ({memory.used / memory.limit:.0%})",
        fix="Give Redis more memory (`CONFIG SET maxmemory`, HEADRACE_REDIS_MEMORY_BYTES for the "
        "one that `headrace up` starts), or keep less: a smaller HEADRACE_RETENTION_DAYS.",
    )


def _clock(skew: float) -> Check:
    return Check(
        name="clock",
        is_well=abs(skew) <= MAX_OFFSET_SECONDS,
        seen=f"{skew:+.2f} s from here to Redis",
        fix="Let both machines follow the same time service.",
    )


def _workers(alive: int) -> Check:
    return Check(
        name="workers",
        is_well=alive > 0,
        seen=f"{alive} alive",
        fix="Start one with `headrace worker`; without any, executions wait.",
    )
