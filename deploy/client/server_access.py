"""Server and account that a command's options and the environment name."""

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import click

from deploy.client.api import Api
from deploy.client.servers import HttpServer
from deploy.output.problems import CommandFailed
from deploy.stack.location import read_private

URL = "HEADRACE_URL"
API_KEY = "HEADRACE_API_KEY"
DATA_DIR = "HEADRACE_DATA_DIR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Options of a command: a key, or an account of the local stack; else the defaults apply."""

    data_dir: Path
    key: str | None = None
    account_id: str | None = None

    def __post_init__(self) -> None:
        if self.key is not None and self.account_id is not None:
            raise click.UsageError("Name a --key or an --account, not both.")

    def options(self) -> tuple[str, ...]:
        """Return the options for another command with the same access; a key is not repeated."""
        options: list[str] = []
        if self.key is not None:
            options += ("--key", "KEY")
        if self.account_id is not None:
            options += ("--account", self.account_id)
        if self.data_dir != default_data_dir():
            options += ("--data-dir", str(self.data_dir))
        return tuple(options)

    def remote_api(self) -> Api | None:
        """Return the API that HEADRACE_URL names, or None."""
        server = self.remote_server()
        return None if server is None else Api(HttpServer(server[0]), server[1])

    def remote_server(self) -> tuple[str, str] | None:
        """Return the address that HEADRACE_URL names and the key for it, or None."""
        url = os.environ.get(URL)
        if not url:
            return None
        if self.account_id is not None:
            raise CommandFailed(f"--account needs the Redis of a stack: unset {URL}, or use a key.")
        key = self.key or os.environ.get(API_KEY)
        if not key:
            raise CommandFailed(f"{URL} needs a key: set {API_KEY}, or name a --key.")
        return _checked(url), key

    def local_key(self) -> str | None:
        """Return the key for the local stack, or None when an account is named instead.

        Without either it is that of HEADRACE_API_KEY, else the demo's.
        """
        if self.key is not None or self.account_id is not None:
            return self.key
        return os.environ.get(API_KEY) or _demo_key(self.data_dir)


def default_data_dir() -> Path:
    """Return the data directory of commands that name none."""
    return Path(os.environ.get(DATA_DIR) or ".headrace")


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        is_right = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        is_right = False
    if not is_right or parts.query or parts.fragment:
        raise CommandFailed(f"{URL} must be the address of a server, such as https://example.org.")
    return url.rstrip("/")


def _demo_key(data_dir: Path) -> str:
    key = read_private(data_dir / "demo.json").get("key")
    if not isinstance(key, str):
        raise CommandFailed(
            f"There is no demo account here: name a --key or an --account, or set {API_KEY}."
        )
    return key
