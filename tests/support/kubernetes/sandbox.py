"""The root, the user and the rights that a container has by its security context."""

import os
from collections.abc import Mapping
from pathlib import Path

from tests.support.hosts.commands import drop_rights, find_command
from tests.support.kubernetes.images import files
from tests.support.kubernetes.manifests import Manifest

SYSTEM = ("bin", "sbin", "lib", "lib64", "usr", "etc", "proc", "sys", "dev")
ENTER = """
set -eu
chroot=$1 root=$2 read_only=$3 volumes=$4; shift 4
mount -t tmpfs -o mode=755 root "$root"
for each in %(system)s; do
    if [ -L "/$each" ]; then
        cp -P "/$each" "$root/$each"
    elif [ -d "/$each" ]; then
        mkdir "$root/$each"
        mount --rbind "/$each" "$root/$each"
        [ "$read_only" = no ] || mount -o remount,bind,ro "$root/$each"
    fi
done
mount --bind "$volumes/passwd" "$root/etc/passwd"
while [ "$1" != -- ]; do
    mkdir -p "$root$2"
    mount --rbind "$1" "$root$2"
    [ "$3" = rw ] || mount -o remount,bind,ro "$root$2"
    shift 3
done
shift
[ "$read_only" = no ] || mount -o remount,ro "$root"
exec "$chroot" "$root" "$@"
"""
"""Script of a process that has entered the mounts of its host: a root of the system's programs, the
folders that it is given, and nothing else."""


def confine(
    argv: list[str], pod: Manifest, container: Manifest, volumes: Mapping[str, Path], folder: Path
) -> list[str]:
    """Return the command with the root, the volumes, the user and the rights of its container.

    `folder` is the pod's own, in which the root is mounted.
    """
    context = {**pod.get("securityContext", {}), **container.get("securityContext", {})}
    user, group = context["runAsUser"], context["runAsGroup"]
    assert context["runAsNonRoot"] is True and user != 0
    (folder / "passwd").write_text(f"root:x:0:0::/:/bin/sh\npod:x:{user}:{group}::/tmp:/bin/sh\n")
    root = folder / "root"
    root.mkdir(exist_ok=True)
    mounts: list[str] = []
    for each in files():
        mounts += [str(each), str(each), "ro"]
    for mount in container.get("volumeMounts", ()):
        mounts += [str(volumes[mount["name"]]), mount["mountPath"], "rw"]
    script = ENTER % {"system": " ".join(SYSTEM)}
    read_only = "yes" if context.get("readOnlyRootFilesystem") else "no"
    words = [
        "sh",
        "-c",
        script,
        "sandbox",
        find_command("chroot"),
        str(root),
        read_only,
        str(folder),
        *mounts,
        "--",
    ]
    return [*words, *_drop_rights(context), *argv]


def make_volume(folder: Path, pod: Manifest) -> None:
    """Make the folder of a volume, which the group of the pod's files may write."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o2770)
    os.chown(folder, 0, pod["securityContext"]["fsGroup"])


def _drop_rights(context: Manifest) -> list[str]:
    assert context["capabilities"] == {"drop": ["ALL"]}
    assert context["allowPrivilegeEscalation"] is False
    return drop_rights(
        f"--reuid={context['runAsUser']}",
        f"--regid={context['runAsGroup']}",
        f"--groups={context['fsGroup']}",
    )
