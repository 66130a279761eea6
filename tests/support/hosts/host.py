"""A host of a test: a network namespace with an address, names of its neighbours, and processes."""

import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.hosts.commands import find_command, ip, processes_in
from tests.support.hosts.leftovers import kill_processes

if TYPE_CHECKING:
    from tests.support.hosts.network import Network

ENTER = (
    'mount --bind "$0" /etc/hosts && echo "$1" > /proc/sys/kernel/hostname && shift && exec "$@"'
)
"""Script of a process that has entered: names of hosts, its own name, then its command."""
NOWHERE = "02:00:00:00:00:00"
"""Hardware address that no host has: frames to it are lost without a word."""


class Host:
    """One host of a network."""

    def __init__(
        self,
        network: "Network",
        name: str,
        *,
        namespace: str,
        address: str,
        port: str,
        folder: Path,
    ) -> None:
        self.name = name
        self.address = address
        self.namespace = namespace
        self.folder = folder
        """Folder for this host alone; TMPDIR of its processes, unless `env` has another."""
        self.processes: list[subprocess.Popen[bytes]] = []
        """Processes that were started, those that have ended as well."""
        self._network = network
        self._port = port
        self._lost: set[str] = set()

    @property
    def mac(self) -> str:
        """Return the hardware address, which follows from the address."""
        return "02:00:" + ":".join(f"{int(part):02x}" for part in self.address.split("."))

    def start(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        log: Path,
        user: str | int | None = None,
        cwd: Path | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a process, whose output is added to a file. `env` is its whole environment.

        The process id is that of the command itself, so that signals reach it. A `user` is a name
        or a number, whose group is that of the same number unless the name has another.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            process = subprocess.Popen(
                [*self._enter(user), *argv],
                env={"TMPDIR": str(self.folder), **env},
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        user: str | int | None = None,
        timeout: float = 120,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, and return its exit code and output."""
        return subprocess.run(
            [*self._enter(user), *argv],
            env={"TMPDIR": str(self.folder), **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def stop(
        self,
        process: subprocess.Popen[bytes],
        number: signal.Signals = signal.SIGTERM,
        timeout: float = 60,
    ) -> float:
        """Send a signal and wait for the end; return the seconds it took. Raises TimeoutExpired."""
        began = time.monotonic()
        process.send_signal(number)
        process.wait(timeout)
        return time.monotonic() - began

    def pids(self) -> list[int]:
        """Return all processes of the host, also those that its processes have started."""
        return processes_in(self.namespace)

    def kill(self) -> None:
        """Kill all processes of the host at once, as a power cut would."""
        kill_processes(self.namespace)
        for process in self.processes:
            process.wait()

    def cut(self, *others: "Host") -> None:
        """Lose all packets from and to the host, or only those between it and some others.

        Connections stay open at both ends: nobody is told.
        """
        if others:
            self._lose(others, is_lost=True)
        else:
            self._plug(is_in=False)

    def mend(self, *others: "Host") -> None:
        """Undo `cut` with the same arguments."""
        if others:
            self._lose(others, is_lost=False)
        else:
            self._plug(is_in=True)

    def set_kernel(self, name: str, value: str) -> None:
        """Set a parameter of the host's network, such as `net.ipv4.tcp_retries2`."""
        path = Path("/proc/sys") / name.replace(".", "/")
        enter = ["nsenter", f"--net=/run/netns/{self.namespace}"]
        subprocess.run([*enter, "sh", "-c", f"echo {value} > {path}"], check=True)

    def add_neighbour(self, address: str, mac: str) -> None:
        """Fix the hardware address of a neighbour.

        A host that asks for it and is not answered would tell its processes that there is no way to
        the neighbour, and packets that are lost on the way to another building have no such effect.
        """
        words = ("neighbour", "replace", address, "lladdr", mac, "dev", "eth0", "nud", "permanent")
        ip(*words, namespace=self.namespace)

    def _lose(self, others: Sequence["Host"], *, is_lost: bool) -> None:
        for other in others:
            self.add_neighbour(other.address, NOWHERE if is_lost else other.mac)
            other.add_neighbour(self.address, NOWHERE if is_lost else self.mac)

    def _plug(self, *, is_in: bool) -> None:
        """Join the port to the bridge or take it out, where the host's end sees no difference."""
        words = ("master", "bridge") if is_in else ("nomaster",)
        ip("link", "set", self._port, *words, namespace=self._network.switch)

    def _enter(self, user: str | int | None) -> list[str]:
        """Return the words before a command that make it a process of this host."""
        words = [
            *(find_command("nsenter"), f"--net=/run/netns/{self.namespace}"),
            *(find_command("unshare"), "--mount", "--uts", find_command("sh"), "-c", ENTER),
            *(str(self._network.hosts_file), self.name),
        ]
        if user is not None:
            group = str(user) if str(user).isdigit() else _group_of(str(user))
            words += [find_command("setpriv"), f"--reuid={user}", f"--regid={group}"]
            words.append("--clear-groups")
        return words


def _group_of(user: str) -> str:
    done = subprocess.run(["id", "-g", user], capture_output=True, text=True, check=True)
    return done.stdout.strip()
