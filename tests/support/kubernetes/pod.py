"""A pod on a host of its own: its containers, probes, restarts and end."""

import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.hosts.host import Host
from tests.support.kubernetes.environment import expand, resolve
from tests.support.kubernetes.images import Image, image_of
from tests.support.kubernetes.manifests import Manifest, Manifests
from tests.support.kubernetes.probes import Prober, ask
from tests.support.kubernetes.sandbox import confine, make_volume

TICK_SECONDS = 0.05
BACKOFF_SECONDS = (0, 10, 20, 40, 80, 160, 300)
"""Pauses of the kubelet before a container is started again."""
TESTS_GRACE = 60


@dataclass(slots=True)
class End:
    """The end of one process of a container."""

    code: int
    seconds: float
    """From the signal, or from the beginning of the pod's end, to the exit."""
    was_killed: bool


@dataclass(slots=True)
class PodState:
    """All that tests look at."""

    is_ready: bool = False
    has_succeeded: bool = False
    restarts: int = 0
    ends: list[End] = field(default_factory=list)
    exits: list[int] = field(default_factory=list)
    """Exit codes of processes that ended by themselves."""
    liveness_failures: int = 0


class Pod:
    """One pod: started by `start`, ended by `delete`. A thread of its own is its kubelet."""

    def __init__(
        self,
        manifests: Manifests,
        workload: Manifest,
        host: Host,
        claims: dict[str, Path] | None = None,
    ) -> None:
        self.name = host.name
        self.host = host
        self.state = PodState()
        self.workload = workload
        self.deleted = threading.Event()
        """Set at the beginning of the end; Services forget the pod then."""
        self.process: subprocess.Popen[bytes] | None = None
        self._manifests = manifests
        self._spec: Manifest = workload["spec"]["template"]["spec"]
        self._claims = claims or {}
        self._is_abandoned = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)

    @property
    def log(self) -> Path:
        """Return the file with the output of all containers."""
        return self.host.folder / "log"

    @property
    def container(self) -> Manifest:
        """Return the container that stays."""
        found: Manifest = self._spec["containers"][0]
        return found

    @property
    def environ(self) -> dict[str, str]:
        """Return the variables of the container that stays."""
        return self._environ(self.container)

    def start(self) -> None:
        """Begin, and return at once."""
        self._thread.start()

    def delete(self) -> None:
        """Begin the end, and return at once."""
        self.state.is_ready = False
        self.deleted.set()

    def abandon(self) -> None:
        """End all processes at once, and wait until they are gone."""
        self._is_abandoned = True
        self.delete()
        self.host.kill()
        self._thread.join(30)

    def wait_for_end(self, timeout: float) -> None:
        """Wait until all processes are gone."""
        assert self._ended.wait(timeout), f"{self.name} has not ended"

    def execute(self, *arguments: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """Run the image's program with arguments in the pod, as `kubectl exec` does."""
        image = image_of(self.container["image"])
        argv = self._confined([*image.entry_point, *arguments], self.container)
        return self.host.run(argv, env=self.environ, timeout=timeout)

    # -- kubelet ------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            for container in self._spec.get("initContainers", ()):
                self._run_to_end(container)
            if self._spec.get("restartPolicy") == "OnFailure":
                self._run_to_end(self.container)
                self.state.has_succeeded = not self.deleted.is_set()
            else:
                self._run_for_good()
        finally:
            self.host.kill()
            self._ended.set()

    def _run_to_end(self, container: Manifest) -> None:
        """Start a container until it exits with 0."""
        attempt = 0
        while not self.deleted.is_set():
            self._start_process(container)
            assert self.process is not None
            while (code := self.process.poll()) is None and not self.deleted.is_set():
                time.sleep(TICK_SECONDS)
            if code is None:
                self._stop(time.monotonic(), self._grace)
                return
            self.state.exits.append(code)
            if code == 0:
                return
            self.state.restarts += 1
            self.deleted.wait(BACKOFF_SECONDS[min(attempt, len(BACKOFF_SECONDS) - 1)])
            attempt += 1

    def _run_for_good(self) -> None:
        """Start the container, and again whenever it ends, until the pod is deleted."""
        attempt = 0
        while not self.deleted.is_set():
            began = time.monotonic()
            self._start_process(self.container)
            self._watch()
            self.state.is_ready = False
            if self.deleted.is_set():
                return
            self.state.restarts += 1
            if time.monotonic() - began > 600:
                attempt = 0
            self.deleted.wait(BACKOFF_SECONDS[min(attempt, len(BACKOFF_SECONDS) - 1)])
            attempt += 1

    def _watch(self) -> None:
        """Probe the process until it ends by itself, by its liveness, or with the pod."""
        startup, ready, alive = (
            self._prober(kind) for kind in ("startup", "readiness", "liveness")
        )
        assert self.process is not None
        while not self.deleted.is_set():
            if (code := self.process.poll()) is not None:
                self.state.exits.append(code)
                return
            if startup is not None and not startup.successes:
                self._probe(startup)
                if startup.has_failed:
                    self._stop(time.monotonic(), self._grace)
                    return
            else:
                if ready is None or self._probe(ready):
                    self._judge_readiness(ready)
                if alive is not None and self._probe(alive) and alive.has_failed:
                    self.state.liveness_failures += 1
                    grace = alive.probe.get("terminationGracePeriodSeconds", self._grace)
                    self._stop(time.monotonic(), float(grace))
                    return
            time.sleep(TICK_SECONDS)
        self._stop(time.monotonic(), self._grace)

    def _judge_readiness(self, ready: Prober | None) -> None:
        if ready is None or ready.successes:
            self.state.is_ready = not self.deleted.is_set()
        elif ready.has_failed:
            self.state.is_ready = False

    def _prober(self, kind: str) -> Prober | None:
        probe = self.container.get(f"{kind}Probe")
        return None if probe is None else Prober(probe)

    def _probe(self, prober: Prober) -> bool:
        """Make a probe if it is due; return whether it was."""
        if not prober.is_due():
            return False
        prober.note(ask(prober.probe, self.container, self.host.address, self._execute_probe))
        return True

    def _execute_probe(self, argv: list[str], seconds: float) -> int:
        try:
            return self.host.run(argv, env=self.environ, timeout=seconds).returncode
        except subprocess.TimeoutExpired:
            return -1

    def _stop(self, began: float, grace: float) -> None:
        """End the process: the hook, the image's signal, and SIGKILL after the grace period."""
        assert self.process is not None
        hook = self.container.get("lifecycle", {}).get("preStop")
        if hook is not None and not self._is_abandoned:
            time.sleep(min(grace, hook["sleep"]["seconds"]))
        self.process.send_signal(self._image.stop_signal)
        was_killed = False
        try:
            # The kubelet gives two more seconds when the hook took all of the period.
            code = self.process.wait(max(2.0, began + grace - time.monotonic()))
        except subprocess.TimeoutExpired:
            was_killed = True
            self.host.kill()
            code = self.process.wait()
        self.state.ends.append(
            End(code=code, seconds=time.monotonic() - began, was_killed=was_killed)
        )

    # -- processes ----------------------------------------------------------------------------

    @property
    def _grace(self) -> float:
        return float(self._spec.get("terminationGracePeriodSeconds", 30))

    @property
    def _image(self) -> Image:
        return image_of(self.container["image"])

    def _environ(self, container: Manifest) -> dict[str, str]:
        own = resolve(self._manifests, container)
        image = image_of(container["image"])
        return {**image.variables, "TMPDIR": "/tmp", "HOSTNAME": self.name, **own}

    def _start_process(self, container: Manifest) -> None:
        image, environ = image_of(container["image"]), self._environ(container)
        command = container.get("command") or image.entry_point
        argv = [expand(word, environ) for word in (*command, *container.get("args", ()))]
        self.process = self.host.start(
            self._confined(argv, container), env=environ, log=self.log, cwd=Path("/")
        )

    def _confined(self, argv: list[str], container: Manifest) -> list[str]:
        volumes = dict(self._claims)
        for volume in self._spec.get("volumes", ()):
            assert "emptyDir" in volume
            volumes[volume["name"]] = self.host.folder / "volumes" / volume["name"]
        for folder in volumes.values():
            make_volume(folder, self._spec)
        return confine(argv, self._spec, container, volumes, self.host.folder)
