"""Several hosts on one machine: network namespaces at a bridge, each with an address of its own."""

import contextlib
import itertools
import os
import random
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.support.hosts.commands import ip
from tests.support.hosts.host import Host
from tests.support.hosts.leftovers import namespace_name, remove_leftovers, remove_namespace

_NUMBERS = itertools.count(1)
TEST_NAME = "test"
"""Name by which hosts find the process of the test."""


class Network:
    """Hosts that reach each other and the process of the test by address, and each other by name.

    Everything is removed at the end. What a killed test run left is removed at the next beginning.
    Raises RuntimeError on a machine that `missing_for_hosts` has a sentence about.
    """

    def __init__(self) -> None:
        self.hosts: dict[str, Host] = {}
        self.address = ""
        """Address of the process of the test."""
        self.switch = ""
        """Namespace of the bridge."""
        self.folder = Path()
        self._number = next(_NUMBERS)
        self._subnet = ""
        self._cable = f"hr{os.getpid()}n{self._number}"
        self._names: dict[str, str] = {}

    @property
    def hosts_file(self) -> Path:
        """Return the file of all names, which each process of a host sees as /etc/hosts."""
        return self.folder / "hosts"

    def __enter__(self) -> "Network":
        remove_leftovers()
        self.folder = Path(tempfile.mkdtemp(prefix="hr-hosts-"))
        self.folder.chmod(0o755)  # processes of another user read the names
        self._subnet = _free_subnet()
        self.address = f"{self._subnet}.1"
        try:
            self._add_switch()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Kill all processes and remove all namespaces."""
        with contextlib.ExitStack() as stack:
            stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
            if self.switch:
                stack.callback(remove_namespace, self.switch)
                # The kernel removes what a namespace has some time after it.
                stack.callback(self._remove_cable)
            for host in self.hosts.values():
                stack.callback(remove_namespace, host.namespace)
                stack.callback(host.kill)
        self.hosts.clear()

    def add_host(self, name: str, aliases: Sequence[str] = ()) -> Host:
        """Add a host, which all others find by its name and its aliases from then on."""
        number = len(self.hosts) + 2
        namespace, address = namespace_name(self._number, name), f"{self._subnet}.{number}"
        folder = self.folder / name
        folder.mkdir(mode=0o1777)
        folder.chmod(0o1777)
        port = f"port{number}"
        ip("netns", "add", namespace)
        host = Host(self, name, namespace=namespace, address=address, port=port, folder=folder)
        self.hosts[name] = host
        ip("link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", namespace,
           namespace=self.switch)  # fmt: skip
        ip("link", "set", port, "master", "bridge", "up", namespace=self.switch)
        ip("link", "set", "lo", "up", namespace=namespace)
        ip("link", "set", "eth0", "address", host.mac, "up", namespace=namespace)
        ip("address", "add", f"{address}/24", "dev", "eth0", namespace=namespace)
        self._introduce(host)
        self._name(address, name, *aliases)
        return host

    def _add_switch(self) -> None:
        name = namespace_name(self._number, "switch")
        ip("netns", "add", name)
        self.switch = name
        ip("link", "add", "bridge", "type", "bridge", namespace=name)
        ip("link", "set", "bridge", "up", namespace=name)
        ip("link", "add", self._cable, "type", "veth", "peer", "name", "port1", "netns", name)
        ip("link", "set", "port1", "master", "bridge", "up", namespace=name)
        ip("link", "set", self._cable, "address", self._mac, "up")
        ip("address", "add", f"{self.address}/24", "dev", self._cable)
        self.hosts_file.write_text("127.0.0.1 localhost\n")
        self._name(self.address, TEST_NAME)

    def _remove_cable(self) -> None:
        with contextlib.suppress(RuntimeError):  # the switch was not finished
            ip("link", "delete", self._cable)

    def _introduce(self, host: Host) -> None:
        """Fix the hardware addresses of a new host and its neighbours at each other."""
        host.add_neighbour(self.address, self._mac)
        words = ("neighbour", "replace", host.address, "lladdr", host.mac)
        ip(*words, "dev", self._cable, "nud", "permanent")
        for other in self.hosts.values():
            if other is not host:
                other.add_neighbour(host.address, host.mac)
                host.add_neighbour(other.address, other.mac)

    @property
    def _mac(self) -> str:
        return "02:01:" + ":".join(f"{int(part):02x}" for part in self.address.split("."))

    def _name(self, address: str, *names: str) -> None:
        for name in names:
            if name in self._names:
                raise ValueError(f"{name} is the name of {self._names[name]} already")
            self._names[name] = address
        with self.hosts_file.open(
            "a"
        ) as file:  # the same file, which processes have in their place
            file.write(f"{address} {' '.join(names)}\n")


def _free_subnet() -> str:
    """Return the first three numbers of a private subnet that this machine has no way to."""
    taken = ip("-4", "route", "show", "table", "all")
    while True:
        subnet = f"10.{random.randrange(256)}.{random.randrange(256)}"
        if f"{subnet}." not in taken:
            return subnet
