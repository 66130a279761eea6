"""A process of a host that is confined as the Compose file says.

It has a root folder of its own over that of this machine, with volumes, files and temporary file
systems where the service has them, read-only where the service is, and the user, capabilities and
`no_new_privs` of the service. Limits of processor and memory are not set.
"""

import contextlib
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.compose.images import Image
from tests.support.hosts.commands import drop_rights, find_command
from tests.support.hosts.host import Host

OVERLAY = "lowerdir={lower},upperdir={stage}/upper,workdir={stage}/work"


class Container:
    """A container of a service, on a host of its own."""

    def __init__(
        self,
        host: Host,
        service: Mapping[str, Any],
        image: Image,
        *,
        configs: Mapping[str, Path],
        volumes: Path,
    ) -> None:
        self.host = host
        self.log = host.folder / "log"
        self.process: subprocess.Popen[bytes] | None = None
        self._service = service
        self._image = image
        self._configs = configs
        self._volumes = volumes

    def changed(self, **members: Any) -> "Container":
        """Return a container on the same host whose service has other members."""
        return Container(
            self.host,
            {**self._service, **members},
            self._image,
            configs=self._configs,
            volumes=self._volumes,
        )

    @property
    def environ(self) -> dict[str, str]:
        """Return the environment of its processes."""
        own = self._service.get("environment") or {}
        given = {name: value for name, value in own.items() if value is not None}
        return {
            "PATH": "/usr/bin:/bin",
            "HOME": "/",
            "TMPDIR": "/tmp",
            **self._image.environ,
        } | given

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """Start it, with another command if one is given."""
        own = command or self._service.get("command") or self._image.command
        words = [*self._confined(), *self._image.entrypoint, *own]
        script = f"{self._make_root()}\nexec {shlex.join(words)}"
        self.process = self.host.start(["sh", "-ec", script], env=self.environ, log=self.log)
        return self.process

    def check(self) -> subprocess.CompletedProcess[str]:
        """Run its health check in it, as `docker exec` does."""
        kind, *words = self._service["healthcheck"]["test"]
        assert kind == "CMD", "a health check needs no shell"
        return self.execute(*words, timeout=_seconds(self._service["healthcheck"]["timeout"]))

    def execute(self, *words: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a command in it, as its user."""
        assert self.process is not None
        enter = ["nsenter", f"--target={self.process.pid}", "--mount", "--uts", "--net"]
        try:
            return subprocess.run(
                [*enter, *self._confined(), *words],
                env=self.environ,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(words, 1, "", f"no end within {timeout:g} s")

    def stop(self) -> float:
        """Send the signal of the image, and wait as long as the service may take; return how long.

        Raises TimeoutExpired where Docker would kill it.
        """
        assert self.process is not None
        grace = _seconds(self._service.get("stop_grace_period", "10s"))
        return self.host.stop(self.process, self._image.stop_signal, grace)

    def memory(self) -> int:
        """Return the bytes that its processes have, a part of what they share with others."""
        total = 0
        for pid in self.host.pids():
            with contextlib.suppress(OSError):
                lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
                total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        return total * 1024

    @property
    def memory_limit(self) -> int:
        """Return the bytes that the engine would let it have."""
        return int(self._service["deploy"]["resources"]["limits"]["memory"])

    def said(self) -> str:
        """Return the end of its output."""
        return self.log.read_text(errors="replace")[-4_000:] if self.log.exists() else ""

    @property
    def _root(self) -> Path:
        return self.host.folder / "stage" / "root"

    def _confined(self) -> list[str]:
        """Return the words before a command that confine it."""
        assert self._service["cap_drop"] == ["ALL"]
        user, _, group = str(self._service.get("user") or self._image.user).partition(":")
        kept = [name.lower() for name in self._service.get("cap_add", ())]
        chroot = [find_command("chroot")]
        if self._image.root is not None:
            # An image without tools: the user is changed from outside, which takes these.
            chroot += [f"--userspec={user}:{group or user}", "--groups="]
            kept += ["sys_chroot", "setuid", "setgid"]
            return [*drop_rights(kept=kept), *chroot, str(self._root)]
        inside = [f"--reuid={user}", f"--regid={group or user}", "--clear-groups"]
        rights = drop_rights(*inside, kept=kept)
        return [*chroot, str(self._root), *rights, "env", f"--chdir={self._image.folder}"]

    def _make_root(self) -> str:
        """Return a script that makes the root folder, and sets `root`."""
        stage = self._root.parent
        overlay = OVERLAY.format(lower=self._image.root or "/", stage=stage)
        lines = [
            "umask 022",
            f"mkdir -p {stage}; mount -t tmpfs -o mode=755 tmpfs {stage}; root={stage}/root",
            f"mkdir {stage}/upper {stage}/work $root",
            f"mount -t overlay overlay -o {overlay} $root",
            *(f"mkdir -p $root/{name}; mount --rbind /{name} $root/{name}" for name in _KERNEL),
            "touch $root/etc/hosts; mount --bind /etc/hosts $root/etc/hosts",
            # The interpreter of a clone may be there.
            "test -e $root/root && chmod o+x $root/root",
            "mkdir -p $root/tmp; mount -t tmpfs -o mode=1777 tmpfs $root/tmp",
            *self._folders(),
            *self._files(),
            *self._temporary(),
        ]
        if self._service.get("read_only"):
            lines.append("mount -o remount,ro,bind $root")
        return "\n".join(lines)

    def _folders(self) -> list[str]:
        lines = [
            f"mkdir -p $root{path}; chown {owner}:{owner} $root{path}"
            for path, owner in self._image.folders.items()
        ]
        for volume in self._service.get("volumes", ()):
            target, place = volume["target"], self._volumes / volume["source"]
            lines.append(f"mkdir -p $root{target}")
            if volume["type"] != "bind":
                lines.append(f"mkdir -p {place}")
            if volume["type"] != "bind" and target in self._image.folders:
                owner = self._image.folders[target]  # of an empty volume, as an engine has it
                lines.append(f'test -n "$(ls -A {place})" || chown {owner}:{owner} {place}')
            lines.append(f"mount --bind {place} $root{target}")
            if volume.get("read_only"):
                lines.append(f"mount -o remount,ro,bind $root{target}")
        return lines

    def _files(self) -> list[str]:
        return [
            f"mkdir -p $root{Path(each['target']).parent}; "
            f"cp {self._configs[each['source']]} $root{each['target']}"
            for each in self._service.get("configs", ())
        ]

    def _temporary(self) -> list[str]:
        pairs = [each.partition(":") for each in self._service.get("tmpfs", ())]
        return [
            f"mkdir -p $root{path}; mount -t tmpfs -o {options or 'mode=1777'} tmpfs $root{path}"
            for path, _, options in pairs
        ]


_KERNEL = ("proc", "sys", "dev")


def _seconds(duration: str) -> float:
    """Return the seconds of a duration as Compose writes it: `1m30s`."""
    total, number = 0.0, ""
    for letter in duration:
        if letter.isdigit() or letter == ".":
            number += letter
        else:
            total += float(number) * {"h": 3600, "m": 60, "s": 1}[letter]
            number = ""
    return total
