"""A systemd of its own, on a copy of this machine's file system, in namespaces.

The copy is an overlay whose changes lie in memory: nothing of this machine is touched. It has no
network but a loopback of its own.
"""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

INIT = Path("/usr/lib/systemd/systemd")
TOOLS = ("unshare", "nsenter", "mount", "umount", "systemctl")
START_SECONDS = 60.0
PREPARE = """
set -e
mount --make-rprivate /
ip link set lo up
cd "$1"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=755 tmpfs dev
for each in null zero full random urandom tty; do
    touch "dev/$each"
    mount --bind "/dev/$each" "dev/$each"
done
mkdir dev/pts dev/shm
ln -s pts/ptmx dev/ptmx
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
mount -t tmpfs -o mode=1777 tmpfs dev/shm
mkdir -p old
pivot_root . old
umount -l old
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /usr/lib/systemd/systemd --unit=basic.target --log-target=console
"""


def find_obstacle() -> str:
    """Return why no machine can run here; empty when one can."""
    if os.geteuid() != 0:
        return "namespaces, mounts and cgroups need root"
    if not INIT.exists():
        return "there is no systemd here"
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        return f"missing here: {', '.join(missing)}"
    for kind in ("overlay", "cgroup2"):
        if f"\t{kind}\n" not in Path("/proc/filesystems").read_text():
            return f"the kernel has no {kind}"
    return ""


class Machine:
    """A running systemd."""

    def __init__(self, root: Path, init: int) -> None:
        self.root = root
        self._init = init

    def run(self, *words: str, check: bool = True) -> str:
        """Run a command in the machine and return its standard output."""
        enter = ("nsenter", "-t", str(self._init), "-m", "-p", "-n", "-u", "-i", "-C", "-r", "-w")
        path = "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        done = subprocess.run(
            [*enter, "env", "-i", path, "HOME=/root", *words], capture_output=True, text=True
        )
        if check and done.returncode:
            raise AssertionError(f"{words}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout.strip()

    def show(self, unit: str, name: str) -> str:
        """Return a property of a unit."""
        return self.run("systemctl", "show", unit, "--value", f"--property={name}")


@contextlib.contextmanager
def copy_of_this_machine(folder: Path) -> Iterator[Path]:
    """Yield the root of a copy, while the context lasts."""
    memory, root = folder / "memory", folder / "root"
    memory.mkdir(parents=True)
    root.mkdir()
    _call("mount", "-t", "tmpfs", "tmpfs", str(memory))
    try:
        (memory / "upper").mkdir()
        (memory / "work").mkdir()
        options = f"lowerdir=/,upperdir={memory}/upper,workdir={memory}/work"
        _call("mount", "-t", "overlay", "overlay", "-o", options, str(root))
        try:
            yield root
        finally:
            _call("umount", "--lazy", str(root))
    finally:
        _call("umount", "--lazy", str(memory))


@contextlib.contextmanager
def boot(root: Path, cgroups: Path, log: Path) -> Iterator[Machine]:
    """Run systemd on a root until the context ends. `cgroups` is an empty folder."""
    cgroups.mkdir()
    _call("mount", "-t", "cgroup2", "cgroup2", str(cgroups))
    group = cgroups / f"headrace-{os.getpid()}"
    group.mkdir()
    spaces = ("--pid", "--mount", "--net", "--uts", "--ipc", "--cgroup")
    join = f'echo $$ > {group}/cgroup.procs; exec "$@"'
    command = (
        "sh",
        "-c",
        join,
        "sh",
        "unshare",
        *spaces,
        "--fork",
        "--kill-child",
        "sh",
        "-c",
        PREPARE,
    )
    try:
        with log.open("w") as output:
            started = subprocess.Popen(
                [*command, "sh", str(root)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            yield _await_start(Machine(root, _child_of(started)), log)
        finally:
            started.kill()
            started.wait()
    finally:
        _remove_groups(group)
        _call("umount", str(cgroups))


def _await_start(machine: Machine, log: Path) -> Machine:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if machine.run("systemctl", "is-active", "basic.target", check=False) == "active":
            return machine
        time.sleep(0.2)
    raise AssertionError(f"systemd has not started:\n{log.read_text()}")


def _child_of(process: "subprocess.Popen[bytes]") -> int:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        # Until it has its own root, it is the shell that prepares it.
        for pid in children.read_text().split():
            if Path(f"/proc/{pid}/comm").read_text().strip() == "systemd":
                return int(pid)
        time.sleep(0.05)
    raise AssertionError("systemd did not begin")


def _remove_groups(group: Path) -> None:
    (group / "cgroup.kill").write_text("1")
    end = time.monotonic() + 10
    while time.monotonic() < end:
        for each in sorted(group.rglob("*/"), reverse=True):
            with contextlib.suppress(OSError):
                each.rmdir()
        with contextlib.suppress(OSError):
            group.rmdir()
            return
        time.sleep(0.1)


def _call(*words: str) -> None:
    subprocess.run(words, check=True)


def run_in_copy(root: Path, *words: str) -> str:
    """Run a command in a copy that has not been booted, with this machine's network."""
    done = subprocess.run(
        ["chroot", str(root), *words], check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout.strip()
