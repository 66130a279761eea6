"""Commands that make and change network namespaces, and what a machine needs for them."""

import functools
import os
import shutil
import subprocess
from collections.abc import Sequence

COMMANDS = ("ip", "nsenter", "unshare", "mount", "setpriv")


@functools.cache
def missing_for_hosts() -> str:
    """Return why this machine cannot run hosts; an empty text if it can."""
    if os.geteuid():
        return "hosts in network namespaces need root"
    lacking = [name for name in COMMANDS if shutil.which(name) is None]
    if lacking:
        return f"hosts in network namespaces need the commands {', '.join(lacking)}"
    return _refused()


def find_command(name: str) -> str:
    """Return the path of a command, which may be one of administrators."""
    return shutil.which(name, path=f"{os.defpath}:/usr/sbin:/sbin") or name


def drop_rights(*identity: str, kept: Sequence[str] = ()) -> list[str]:
    """Return the words before a command that take its capabilities but those kept.

    `identity` are options that change the user.
    """
    bounds = "".join(f",+{name}" for name in kept)
    return [
        *(find_command("setpriv"), *identity, "--inh-caps=-all", f"--bounding-set=-all{bounds}"),
        *("--no-new-privs", "--"),
    ]


def ip(*words: str, namespace: str = "") -> str:
    """Run `ip`, in a namespace if one is named; return its output. Raises RuntimeError."""
    inside = ("-n", namespace) if namespace else ()
    done = subprocess.run(["ip", *inside, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"ip {' '.join((*inside, *words))}: {done.stderr.strip()}")
    return done.stdout


def namespaces() -> list[str]:
    """Return the names of all network namespaces."""
    return [line.split()[0] for line in ip("netns", "list").splitlines() if line.strip()]


def processes_in(namespace: str) -> list[int]:
    """Return the processes of a namespace."""
    return [int(word) for word in ip("netns", "pids", namespace).split()]


def _refused() -> str:
    """Return why the kernel refuses a bridge or a namespace, for example inside a container."""
    name = f"headrace-{os.getpid()}-probe"
    try:
        ip("netns", "add", name)
    except RuntimeError as error:
        return f"network namespaces are refused here ({error})"
    try:
        ip("link", "add", "bridge", "type", "bridge", namespace=name)
        ip("link", "add", "one", "type", "veth", "peer", "name", "two", namespace=name)
    except RuntimeError as error:
        return f"bridges are refused here ({error})"
    finally:
        ip("netns", "delete", name)
    return ""
