"""The Compose file, run without an engine: each container is a host of a network.

Order, conditions, health checks, commands, environments, signals and grace periods are those that
Compose resolves. Restarts by the engine are not imitated: tests start again what they end.
Nor are limits of memory, and addresses that an engine gives: tests/manifests/test_compose_engine.py
has these.
"""

import contextlib
import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.support.compose.compose_file import generate_environment, resolve
from tests.support.compose.container import Container
from tests.support.compose.images import Image, find_images
from tests.support.compose.published import Published
from tests.support.hosts.network import Network

START_SECONDS = 180.0
FIRST = "caddy"
"""Service whose address the file fixes: the first host of a network has that address."""
HEALTHY, COMPLETED = "service_healthy", "service_completed_successfully"


class ComposeStack:
    """The containers of the Compose file, with an image of Headrace or the command of the clone."""

    def __init__(self, folder: Path, image: Image | None = None, **variables: str) -> None:
        self.containers: dict[str, Container] = {}
        """Containers by their names: that of the service, with a number if there are several."""
        self.not_run: list[str] = []
        """Services whose image has no stand-in here."""
        self.began = 0.0
        self.seconds: dict[str, float] = {}
        """Seconds from the start until the condition of a service was met."""
        self._folder = folder
        self.variables = variables
        self._network = Network()
        self._images = find_images(image)
        self._met: dict[str, str] = {}
        self._failed = ""
        self._changed = threading.Condition()
        self._published = Published()
        self.file: dict[str, Any] = {}

    def __enter__(self) -> "ComposeStack":
        self._network.__enter__()
        prefix = self._network.address.rpartition(".")[0]
        environment = generate_environment(self._folder, FRONT_PREFIX=prefix, **self.variables)
        self.file = resolve(environment)
        try:
            self._make_containers()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Kill everything; volumes stay in the folder."""
        self._published.close()
        self._network.close()

    def up(self, *services: str) -> float:
        """Start all services without a profile, or some that need no other, as `up --wait` does.

        Returns the seconds that it took.
        """
        self.began = time.monotonic()
        self._met.clear()
        services = services or tuple(filter(self._is_started, self.file["services"]))
        with ThreadPoolExecutor(len(services)) as pool:
            list(pool.map(self._bring_up, services))
        self._publish(services)
        if self._failed:
            raise AssertionError(self._failed)
        return time.monotonic() - self.began

    def stop(self) -> dict[str, float]:
        """Stop all containers, dependents first; return how long each took."""
        seconds: dict[str, float] = {}
        running = {name for name, found in self.containers.items() if _runs(found)}
        while running:
            needed = {each for name in running for each in self._needs(name)}
            last = sorted(name for name in running if _service_of(name, self) not in needed)
            with ThreadPoolExecutor(len(last)) as pool:
                taken = pool.map(lambda name: self.containers[name].stop(), last)
                seconds |= dict(zip(last, taken, strict=True))
            running -= set(last)
        self._published.close()
        return seconds

    def run(self, service: str, *command: str, **changes: Any) -> tuple[int, str]:
        """Run a service once, as `docker compose run --rm`; return its exit code and output.

        Changes are members of the service: `user`, `volumes`.
        """
        container = self.containers[service].changed(**changes)
        container.log.unlink(missing_ok=True)
        code = container.start(*command).wait(START_SECONDS)
        return code, container.log.read_text(errors="replace")

    def kill(self) -> None:
        """Kill all containers at once, as a power cut would."""
        for container in self.containers.values():
            container.host.kill()

    def boot(self) -> tuple[float, list[str]]:
        """Start all services that restart, in no order, as the engine does at the machine's start.

        Containers that end are started again. Returns the seconds until all are healthy, and the
        containers that were started again.
        """
        began = time.monotonic()
        waiting = {
            name
            for name in self.containers
            if self.file["services"][_service_of(name, self)].get("restart") == "unless-stopped"
        }
        again: list[str] = []
        for name in waiting:
            self.containers[name].start()
        while waiting:
            assert time.monotonic() - began < START_SECONDS, f"{waiting} are not healthy"
            for name in sorted(waiting):
                container = self.containers[name]
                if _process(container).poll() is not None:
                    again.append(name)
                    container.start()
                elif container.check().returncode == 0:
                    waiting.remove(name)
            time.sleep(0.1)
        return time.monotonic() - began, again

    def start(self, name: str) -> None:
        """Start a container again, and wait until it is healthy."""
        self.containers[name].start()
        self._await_health(name)

    def workers(self) -> list[str]:
        """Return the names of the containers of workers."""
        return sorted(name for name in self.containers if _service_of(name, self) == "worker")

    def address(self, name: str) -> str:
        """Return the address of a container."""
        return self.containers[name].host.address

    def _make_containers(self) -> None:
        configs = {}
        for name, config in self.file["configs"].items():
            configs[name] = self._folder / f"{name}.config"
            configs[name].write_text(config["content"])
        services = self.file["services"]
        for name in sorted(services, key=lambda name: name != FIRST):
            image = self._image(name)
            if not image.program:
                self.not_run.append(name)
                continue
            for container in _names(name, services[name]):
                self.containers[container] = Container(
                    self._network.add_host(container),
                    services[name],
                    image,
                    configs=configs,
                    volumes=self._folder / "volumes",
                )

    def _image(self, service: str) -> Image:
        return self._images[self.file["services"][service]["image"].rpartition(":")[0]]

    def _is_started(self, service: str) -> bool:
        return service not in self.not_run and not self.file["services"][service].get("profiles")

    def _needs(self, container: str) -> Mapping[str, Any]:
        found: dict[str, Any] = self.file["services"][_service_of(container, self)].get(
            "depends_on", {}
        )
        return found

    def _bring_up(self, service: str) -> None:
        """Start a service once its conditions are met, and say when its own is."""
        try:
            self._await_conditions(service)
            names = list(_names(service, self.file["services"][service]))
            for name in names:
                if not _runs(self.containers[name]):
                    self.containers[name].start()
            if "test" in self.file["services"][service].get("healthcheck", {}):
                for name in names:
                    self._await_health(name)
                met = HEALTHY
            else:
                code = _process(self.containers[service]).wait(START_SECONDS)
                assert code == 0, f"{service} ended with {code}: {self.containers[service].said()}"
                met = COMPLETED
        except Exception as error:  # told by the thread that waits for all
            with self._changed:
                self._failed = self._failed or f"{service}: {error}"
                self._changed.notify_all()
            return
        with self._changed:
            self._met[service] = met
            self.seconds[service] = time.monotonic() - self.began
            self._changed.notify_all()

    def _await_conditions(self, service: str) -> None:
        wanted = {
            name: needed["condition"]
            for name, needed in self.file["services"][service].get("depends_on", {}).items()
            if name not in self.not_run
        }
        with self._changed:
            self._changed.wait_for(
                lambda: self._failed or wanted.items() <= self._met.items(), START_SECONDS
            )
            assert wanted.items() <= self._met.items(), f"{service} waits for {wanted}"

    def _await_health(self, name: str) -> None:
        container = self.containers[name]
        deadline = time.monotonic() + START_SECONDS
        while True:
            process = _process(container)
            assert process.poll() is None, f"{name} ended: {container.said()}"
            done = container.check()
            if done.returncode == 0:
                return
            assert time.monotonic() < deadline, (
                f"{name} is not healthy: {done.stdout}{done.stderr}\n{container.said()}"
            )
            time.sleep(1)  # start_interval

    def _publish(self, services: Sequence[str]) -> None:
        for name in services:
            for port in self.file["services"][name].get("ports", ()):
                self._published.add(
                    (port["host_ip"], int(port["published"])),
                    (self.address(name), int(port["target"])),
                )


def _names(service: str, found: Mapping[str, Any]) -> Iterator[str]:
    count = found.get("deploy", {}).get("replicas", 1)
    yield from (
        (f"{service}-{number}" for number in range(1, count + 1)) if count > 1 else (service,)
    )


def _service_of(container: str, stack: ComposeStack) -> str:
    if container in stack.file["services"]:
        return container
    return re.sub(r"-\d+$", "", container)


def _process(container: Container) -> Any:
    assert container.process is not None
    return container.process


def _runs(container: Container) -> bool:
    with contextlib.suppress(AssertionError):
        return _process(container).poll() is None
    return False
