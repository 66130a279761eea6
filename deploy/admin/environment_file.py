"""Environment file of a new installation, with secrets of its own."""

import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from deploy.output.problems import CommandFailed

HEAD = """\
# Secrets of a Headrace installation. Whoever reads this file can read all of its data.
# Keep a copy elsewhere: without HEADRACE_SECRET_KEY the secrets in a backup are lost.
"""
OWN = """
# Where browsers and callers reach the gateways, when a proxy stands before them.
#HEADRACE_PUBLIC_URL=https://flows.example.org

# Keys of the providers that models are called at, for workers.
#ANTHROPIC_API_KEY=
#ARK_API_KEY=
#FAL_KEY=
#GEMINI_API_KEY=
#GROQ_API_KEY=
#OPENAI_API_KEY=
#SUNO_API_KEY=
"""
"""Lines that people fill in: no command can make their values up."""


def _make_password() -> str:
    """Return a password that stands in a URL, and in a line of a shell, as it is."""
    return secrets.token_hex(24)


MAKERS: Mapping[str, Callable[[], str]] = {
    "HEADRACE_SECRET_KEY": lambda: secrets.token_hex(32),
    "REDIS_PASSWORD": _make_password,
    "POSTGRES_PASSWORD": _make_password,
    "AWS_ACCESS_KEY_ID": lambda: f"HR{secrets.token_hex(9).upper()}",
    "AWS_SECRET_ACCESS_KEY": _make_password,
    "GRAFANA_PASSWORD": _make_password,
}
"""Secrets of the installation, each with the function that makes one."""


def make_environment() -> str:
    """Return the text of an environment file in which every secret is new."""
    made = "".join(f"{name}={make()}\n" for name, make in MAKERS.items())
    return f"{HEAD}\n{made}{OWN}"


def write_new(path: Path, text: str) -> None:
    """Write a file that its owner alone may read. Raises CommandFailed if there is one already."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise CommandFailed(
            f"{path} is there already, and other secrets would shut its installation out: name "
            "another file."
        ) from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
