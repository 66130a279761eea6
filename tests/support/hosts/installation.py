"""An installation over several hosts: its servers, gateways and workers, which share no folder."""

import contextlib
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from deploy.net.http_client import Unreachable, call
from engine.history.database.connections import Database
from engine.settings import Settings
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.hosts import servers
from tests.support.hosts.host import Host
from tests.support.hosts.network import Network
from tests.support.http.s3_server import ACCESS_KEY, BUCKET
from tests.support.http.s3_server import SECRET_KEY as S3_SECRET
from tests.support.redis.installation import SECRET_KEY

GATEWAY, WORKER = "gateway", "worker"
PORT, HEALTH_PORT = 8000, 8001
MODEL = "hosted"
MANIFEST = f"""
internalName = "{MODEL}"
name = "A model at a host of its own"
category = "text"
tier = "free"

[[fields]]
name = "prompt"
type = "textarea"
required = true

[[pricing]]
unit = "call"
usd = "0.010"

[openai]
base_url = "http://provider:{servers.PROVIDER_PORT}/v1"
api_key_env = "PROVIDER_KEY"
model = "gpt-5-mini"
"""


@dataclass
class Part:
    """A gateway or worker on a host, with the log of all its lives."""

    kind: str
    host: Host
    environ: dict[str, str]
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.host.folder / f"{self.kind}.log"

    @property
    def url(self) -> str:
        return f"http://{self.host.address}:{PORT}"

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start the process by the command of an operator."""
        words = ["--host", "0.0.0.0", "--port", str(PORT)] if self.kind == GATEWAY else []
        argv = [servers.HEADRACE, self.kind, *words]
        self.process = self.host.start(argv, env=self.environ, log=self.log, cwd=self.host.folder)

    def wait_ready(self) -> None:
        """Wait until a gateway serves, or a worker takes work."""
        port = PORT if self.kind == GATEWAY else HEALTH_PORT
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_ready(f"http://{self.host.address}:{port}"):
            assert self.is_alive and time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)

    def stop(self) -> float:
        """Let the process drain and end; return the seconds that takes."""
        assert self.process is not None
        seconds = self.host.stop(self.process, signal.SIGTERM, PATIENCE_SECONDS)
        assert self.process.returncode == 0, self.log.read_text()[-2_000:]
        return seconds


def is_ready(url: str) -> bool:
    """Return whether a gateway or worker says that it is ready."""
    with contextlib.suppress(Unreachable, TimeoutError, OSError):
        return call("GET", f"{url}/readyz")[0] == 200
    return False


@dataclass
class Installation:
    """All hosts of an installation. Names of servers: `redis`, `database`, `s3`, `provider`."""

    network: Network
    environ: dict[str, str]
    servers: dict[str, Host]
    """Host of each server by its name."""
    parts: dict[str, Part] = field(default_factory=dict)
    """By the name of their host."""

    @property
    def redis_url(self) -> str:
        """Return the address of Redis for the process of the test, which knows no names."""
        return f"redis://{self.servers['redis'].address}:{servers.REDIS_PORT}/0"

    @property
    def database_url(self) -> str:
        """Return the address of the database for the process of the test; empty without one."""
        host = self.servers.get("database")
        return _database_url(host.address) if host else ""

    @property
    def settings(self) -> Settings:
        """Return settings with which the process of the test opens the store."""
        return Settings(redis_url=self.redis_url, secret_key=SECRET_KEY, allow_private_urls=True)

    @property
    def gateways(self) -> list[Part]:
        return [part for part in self.parts.values() if part.kind == GATEWAY and part.is_alive]

    @property
    def workers(self) -> list[Part]:
        return [part for part in self.parts.values() if part.kind == WORKER and part.is_alive]

    def host(self, name: str) -> Host:
        """Return a host by its name."""
        return self.network.hosts[name]

    def start(self, kind: str, *names: str, **environ: str) -> list[Part]:
        """Start a part on each of these hosts, which are added where they are new; await them."""
        parts = []
        for name in names:
            host = self.network.hosts.get(name) or self.network.add_host(name)
            models = host.folder / "models"
            models.mkdir(exist_ok=True)
            (models / f"{MODEL}.toml").write_text(MANIFEST)
            own = {"HEADRACE_MODELS_DIR": str(models), "HOME": str(host.folder)}
            part = self.parts[name] = Part(kind, host, self.environ | own | environ)
            part.start()
            parts.append(part)
        for part in parts:
            part.wait_ready()
        return parts

    def stop(self) -> None:
        """End all gateways and workers in order."""
        for part in [*self.gateways, *self.workers]:
            part.stop()

    def archived(self) -> int:
        """Return the number of runs in the history."""
        from sqlalchemy import text

        database = Database(self.database_url)
        try:
            with database.read() as connection:
                return int(connection.execute(text("SELECT count(*) FROM executions")).scalar_one())
        finally:
            database.close()

    def tracebacks(self) -> list[tuple[str, str]]:
        """Return lines of all logs that tell of an unexpected error, each with its host."""
        return [
            (name, line)
            for name, part in self.parts.items()
            for line in part.log.read_text().splitlines()
            if "raceback" in line
        ]


@contextlib.contextmanager
def installation(
    *, alone: tuple[str, ...] = (), is_small: bool = False, **environ: str
) -> Iterator[Installation]:
    """Yield an installation without gateways and workers, begun by `init` and `migrate`.

    Host `data` has Redis, PostgreSQL and S3, but for those in `alone`, which have hosts of their
    own. `is_small`: only Redis.
    """
    with Network() as network:
        wanted = ("redis",) if is_small else ("redis", "database", "s3")
        data = network.add_host("data", [name for name in wanted if name not in alone])
        places = {n: network.add_host(n) if n in alone else data for n in wanted}
        places["provider"] = network.add_host("provider")
        for name, host in places.items():
            STARTS[name](host)
        made = Installation(network, _environment(is_small) | environ, places)
        servers.run_checked(data, "init", env=made.environ)
        if not is_small:
            servers.run_checked(data, "migrate", env=made.environ)
        yield made


STARTS = {
    "redis": servers.start_redis,
    "database": servers.start_postgres,
    "s3": servers.start_s3,
    "provider": servers.start_provider,
}


def _database_url(host: str) -> str:
    return f"postgresql://headrace@{host}:{servers.POSTGRES_PORT}/postgres"


def _environment(is_small: bool) -> dict[str, str]:
    """Return the variables of all processes."""
    environ = servers.PATH | {
        "HEADRACE_REDIS_URL": f"redis://redis:{servers.REDIS_PORT}/0",
        "HEADRACE_SECRET_KEY": SECRET_KEY,
        "HEADRACE_ALLOW_PRIVATE_URLS": "1",
        "HEADRACE_HEALTH_HOST": "0.0.0.0",
        "HEADRACE_HEALTH_PORT": str(HEALTH_PORT),
        "HEADRACE_CPU_SLOTS": "1",
        "HEADRACE_DRAIN_SECONDS": "10",
        "HEADRACE_WEBHOOK_TIME_SCALE": "0.05",
        "PROVIDER_KEY": "any",
    }
    if is_small:
        return environ
    return environ | {
        "HEADRACE_DATABASE_URL": _database_url("database"),
        "HEADRACE_MEDIA_URL": f"s3://{BUCKET}/of-headrace",
        "AWS_ENDPOINT_URL": f"http://s3:{servers.S3_PORT}",
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": S3_SECRET,
        "AWS_REGION": "us-east-1",
    }
