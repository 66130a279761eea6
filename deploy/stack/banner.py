"""Texts of `headrace up` for people: addresses, data places, and the restart command."""

import shlex
import shutil
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.stack.location import MEDIA_URL, REDIS_URL

COMMAND = "headrace"
DEFAULT_DATA_DIR = Path(".headrace")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """A link that signs one browser in, and its account."""

    link: str
    account_id: str


def banner(
    url: str,
    data_dir: Path,
    environ: Mapping[str, str],
    sign_in: SignIn | None,
    real_providers: Collection[str] | None = None,
) -> str:
    """Return the addresses of a running stack, one a line.

    `real_providers`: variables of providers that a demo provider does not replace; None without a
    demo provider.
    """
    lines = addresses(url, sign_in, _named(data_dir))
    if real_providers is not None:
        lines += ["Models    DEMO: a stub makes the answers up; no real model is asked"]
        if real_providers:
            named = ", ".join(real_providers)
            lines += [f"          (except where you have set {named}: those calls are real)"]
    lines += [f"Data      {data_places(data_dir, environ)}", "Stop      Ctrl-C", ""]
    return "\n".join(lines)


def addresses(url: str, sign_in: SignIn | None, named: Sequence[str] = ()) -> list[str]:
    """Return the lines of an installation's pages; `named` are options that name its stack."""
    lines = [f"Pages     {url}  (the API: {url}/docs)"]
    if sign_in is not None:
        another = typed_command("login-link", "--account", sign_in.account_id, *named)
        lines += [
            f"Sign in   {sign_in.link}",
            f"          (once, within ten minutes; another: {another})",
        ]
    return lines


def data_places(data_dir: Path, environ: Mapping[str, str]) -> str:
    """Return the places of the data; addresses, which may hold passwords, by variable name."""
    elsewhere = [
        place
        for name, place in ((REDIS_URL, f"the Redis of {REDIS_URL}"), (MEDIA_URL, MEDIA_URL))
        if environ.get(name)
    ]
    return " and ".join([str(data_dir), *elsewhere])


def restart_command() -> str:
    """Return the command that started this process, as it was typed."""
    return typed_command(*sys.argv[1:])


def typed_command(*arguments: str) -> str:
    """Return this program with the arguments, as it can be typed here."""
    program = sys.argv[0]
    is_typed = Path(program).name == COMMAND and shutil.which(COMMAND) != program
    return shlex.join((program if is_typed else COMMAND, *arguments))


def _named(data_dir: Path) -> tuple[str, ...]:
    is_default = data_dir.resolve() == DEFAULT_DATA_DIR.resolve()
    return () if is_default else ("--data-dir", str(data_dir))
