"""`headrace up`: the whole stack in the foreground, from the first start to the last stop."""

import asyncio
import os
import sys
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from deploy.local_model import LocalModel, is_serving
from deploy.net.host_ports import port_of, reachable_host, reserve_port, url_of
from deploy.output.problems import CommandFailed
from deploy.stack.banner import SignIn, banner, data_places, restart_command
from deploy.stack.console import Console
from deploy.stack.fork_server import ForkServer
from deploy.stack.location import (
    DATABASE_URL,
    LOCAL_MODEL_URL,
    MEDIA_URL,
    REDIS_URL,
    Stack,
    database_url,
    forget,
    lock_data_dir,
    media_url,
    open_data_dir,
    read_private,
    remember,
    require_whole,
    shared_settings,
)
from deploy.stack.new_installation import record_new
from deploy.stack.secret_key import VARIABLE, find_or_make_key
from deploy.stack.supervisor import Part, PartRunner, Supervisor
from deploy.stub_provider.part import DemoProvider
from deploy.up.history import StackHistory
from deploy.up.readiness import MAX_DEATHS, is_gateway_ready, wait_until_ready
from deploy.up.redis_part import start_redis
from deploy.up.sample_run import RECORD, show
from deploy.up.signals import serve_until_signal
from deploy.up.store_schema import raise_when_alone
from deploy.up.tasks.process import run_task
from engine.net.addresses import is_loopback
from engine.settings import Settings

TELL_SETUP = "HEADRACE_TELL_SETUP"
STAGES = {"gateway": 0, "worker": 1, "redis": 2, "model": 2, "demo provider": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class StackOptions:
    """Options of `headrace up`."""

    host: str
    port: int
    data_dir: Path
    gateways: int
    workers: int
    demo: bool
    demo_provider: bool
    """Whether a stub stands in for the providers that are not set up."""
    local_model: bool
    """Whether the stack runs a local model too."""


async def serve(options: StackOptions, settings: Settings, forks: ForkServer | None) -> int:
    """Serve until a signal; return the exit code. Gateways and workers start by `forks`, if any."""
    with ExitStack() as cleanup:
        if forks is not None:
            cleanup.callback(forks.close)
        data_dir = open_data_dir(options.data_dir)
        cleanup.callback(os.close, lock_data_dir(data_dir))
        require_whole(data_dir)
        port = port_of(cleanup.enter_context(reserve_port(options.host, options.port)))
        console = Console()
        cleanup.callback(console.close)
        supervisor = Supervisor(console, grace_seconds=settings.drain_seconds + 5, forks=forks)
        asked = replace(options, data_dir=data_dir, port=port)
        run = StackRun(asked, settings, supervisor, console, cleanup)
        code = await serve_until_signal(run.start, run.refusal, supervisor, console)
        console.print(
            "up",
            f"has stopped; the data is in {data_places(data_dir, os.environ)}; "
            f"start again: {restart_command()}",
        )
        return code


class StackRun:
    """One run of a stack."""

    def __init__(
        self,
        options: StackOptions,
        settings: Settings,
        supervisor: Supervisor,
        console: Console,
        cleanup: ExitStack,
    ) -> None:
        self._options = options
        self._settings = settings
        self._supervisor = supervisor
        self._console = console
        self._cleanup = cleanup
        self._redis_url = os.environ.get(REDIS_URL, "")
        record_new(options.data_dir)
        self._secret_key = find_or_make_key(options.data_dir)
        self._model_url = settings.local_model_url
        self._demo_provider: DemoProvider | None = None
        self._media_url = media_url(options.data_dir, os.environ)
        self._history = StackHistory(database_url(options.data_dir, os.environ), console)
        self.refusal: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Sentence, once the store cannot be served by this version of Headrace any more."""

    async def start(self) -> None:
        """Start all parts, report readiness, and show the demonstration."""
        self._console.print("up", f"starts {self._parts()}")
        preparing = asyncio.create_task(self._prepare_model())
        self._cleanup.callback(preparing.cancel)
        redis_url = self._redis_url or await self._start_redis()
        sign_in = await self._prepare_store(redis_url)
        self._cleanup.callback((await self._history.prepare()).cancel)
        model = self._start_model(await preparing)
        demo_provider = self._start_demo_provider()
        self._remember(redis_url)
        gateways = [
            self._start_part("gateway", n, redis_url) for n in range(self._options.gateways)
        ]
        for number in range(self._options.workers):
            self._start_part("worker", number, redis_url)
        await wait_until_ready(lambda: is_gateway_ready(self._url), gateways[0])
        if model is not None:
            await self._await_model(model)
        if demo_provider is not None and self._demo_provider is not None:
            await wait_until_ready(self._demo_provider.is_serving, demo_provider)
        _print(f"ready {url_of(self._options.host, self._options.port)}")
        if self._options.demo and (key := read_private(self._options.data_dir / RECORD).get("key")):
            _print(await show(self._url, key))
        self._show_addresses(sign_in)

    def _parts(self) -> str:
        gateways = _counted(self._options.gateways, "gateway")
        workers = _counted(self._options.workers, "worker")
        asked = {
            "Redis": not self._redis_url,
            gateways: True,
            workers: True,
            "a model": self._options.local_model,
            "a demo provider": self._options.demo_provider,
        }
        *before, last = (part for part, is_wanted in asked.items() if is_wanted)
        return f"{', '.join(before)} and {last}"

    def _show_addresses(self, sign_in: SignIn | None) -> None:
        provider = self._demo_provider
        real = None if provider is None else provider.real
        _print(banner(self._base_url, self._options.data_dir, os.environ, sign_in, real))

    @property
    def _url(self) -> str:
        return url_of(reachable_host(self._options.host), self._options.port)

    @property
    def _base_url(self) -> str:
        return (self._settings.public_url or self._url).rstrip("/")

    async def _prepare_store(self, redis_url: str) -> SignIn | None:
        """Check the Redis and prepare the demonstration; return the link of its account."""
        prepared = await run_task(
            "prepare",
            data_dir=str(self._options.data_dir),
            redis_url=redis_url,
            secret_key=self._secret_key,
            base_url=self._base_url if self._options.demo else None,
        )
        if "demoFailure" in prepared:
            self._console.print("demo", f"could not be prepared: {prepared['demoFailure']}")
        migrating = asyncio.create_task(
            raise_when_alone(prepared["delay"], redis_url, self._secret_key, self._console)
        )
        self._cleanup.callback(migrating.cancel)
        if "link" not in prepared:
            return None
        return SignIn(link=prepared["link"], account_id=prepared["accountId"])

    async def _prepare_model(self) -> LocalModel | None:
        """Return the local model, or None if none is wanted or valid; the stack runs without."""
        if not self._options.local_model:
            return None
        named, data_dir = self._settings.local_model, self._options.data_dir
        try:
            return await asyncio.to_thread(LocalModel.prepare, named, data_dir)
        except CommandFailed as error:
            self._console.print("model", f"{error} The stack runs without it.")
            return None

    def _start_model(self, model: LocalModel | None) -> PartRunner | None:
        if model is None:
            return None
        self._cleanup.enter_context(model.reserved)
        self._model_url = model.url
        return self._supervisor.start(model.part(STAGES["model"], self._settings.drain_seconds))

    def _start_demo_provider(self) -> PartRunner | None:
        """Start the stub where it is wanted; a local model that runs here counts as set up."""
        if not self._options.demo_provider:
            return None
        provider = DemoProvider.prepare(os.environ | self._model_environ())
        self._cleanup.enter_context(provider.reserved)
        self._demo_provider = provider
        return self._supervisor.start(provider.part(STAGES["demo provider"]))

    async def _await_model(self, runner: PartRunner) -> None:
        """Wait for the model to answer, for a limited time; stop one that keeps dying."""
        try:
            await wait_until_ready(lambda: is_serving(self._model_url), runner)
        except CommandFailed:
            if runner.deaths < MAX_DEATHS:
                self._console.print("model", "is still being loaded; its calls fail until then")
                return
            await runner.stop(self._settings.drain_seconds)
            self._console.print("model", "does not start. The stack runs without it.")

    async def _start_redis(self) -> str:
        return await start_redis(
            self._options.data_dir,
            self._settings.redis_memory_bytes,
            STAGES["redis"],
            self._supervisor,
            self._console,
            self._cleanup,
        )

    def _remember(self, redis_url: str) -> None:
        stack = Stack(
            data_dir=self._options.data_dir,
            redis_url=redis_url,
            url=self._url,
            settings={
                **shared_settings(os.environ | self._model_environ()),
                MEDIA_URL: self._media_url,
                DATABASE_URL: self._history.url,
            },
            demo_environ={} if self._demo_provider is None else self._demo_provider.worker_environ,
        )
        remember(stack)
        self._cleanup.callback(forget, self._options.data_dir)

    def _model_environ(self) -> dict[str, str]:
        return {LOCAL_MODEL_URL: self._model_url} if self._model_url else {}

    def _demo_environ(self, kind: str) -> dict[str, str]:
        provider = self._demo_provider
        if provider is None:
            return {}
        return provider.worker_environ if kind == "worker" else provider.gateway_environ

    def _setup_environ(self) -> dict[str, str]:
        """Let callers set missing variables if the stack is reachable from this machine alone."""
        is_local = is_loopback(self._options.host) and not self._settings.public_url
        return {TELL_SETUP: "1"} if is_local and TELL_SETUP not in os.environ else {}

    def _start_part(self, kind: str, number: int, redis_url: str) -> PartRunner:
        part = Part(
            name=f"{kind}.{number + 1}",
            command=(sys.executable, "-P", "-m", "deploy", kind),
            environ={
                REDIS_URL: redis_url,
                VARIABLE: self._secret_key,
                MEDIA_URL: self._media_url,
                DATABASE_URL: self._history.url,
                "HEADRACE_HOST": self._options.host,
                "HEADRACE_PORT": str(self._options.port),
                "HEADRACE_HEALTH_PORT": "0",  # several workers cannot share one
                **self._model_environ(),
                **self._demo_environ(kind),
                **self._setup_environ(),
            },
            stage=STAGES[kind],
            is_forked=True,
            on_death=partial(self._note_death, kind, redis_url),
        )
        return self._supervisor.start(part)

    async def _note_death(self, kind: str, redis_url: str, pid: int) -> None:
        """Let others have a dead worker's executions at once; else they wait for its leases to end.

        A gateway is started again meanwhile.
        """
        if kind == "worker":
            await self._look_after(redis_url, pid)
        else:
            task = asyncio.create_task(self._look_after(redis_url, None))
            self._cleanup.callback(task.cancel)

    async def _look_after(self, redis_url: str, worker_pid: int | None) -> None:
        with suppress(CommandFailed, OSError):
            seen = await run_task("after_death", redis_url=redis_url, worker_pid=worker_pid)
            if "refusal" in seen and not self.refusal.done():
                self.refusal.set_result(seen["refusal"])


def _print(text: str) -> None:
    """Print, even when the reader of the output has gone."""
    with suppress(BrokenPipeError):
        print(text, flush=True)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
