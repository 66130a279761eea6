"""File of the local model: the operator's own, else the one from the extra packages."""

from pathlib import Path

from deploy.local_model.weights import QWEN, join
from deploy.output.problems import CommandFailed

VARIABLE = "HEADRACE_LOCAL_MODEL"
MAGIC = b"GGUF"


def model_file(named: str, data_dir: Path) -> Path:
    """Return the checked file; `named` is the setting. Raises CommandFailed."""
    return _own(Path(named).expanduser()) if named else join(QWEN, data_dir / "models")


def _own(path: Path) -> Path:
    try:
        with path.open("rb") as file:
            is_model = file.read(len(MAGIC)) == MAGIC
    except OSError as error:
        reason = error.strerror or error
        raise CommandFailed(f"{VARIABLE} names {path}, which cannot be read: {reason}.") from error
    if not is_model:
        raise CommandFailed(f"{VARIABLE} names {path}, which is not a GGUF file.")
    return path.resolve()
