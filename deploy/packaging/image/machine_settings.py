"""Settings of this machine that steps of the build need to reach packages.

They reach the steps as secrets: none of them is in the Containerfile, the context or the image.
"""

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

CERTIFICATES = "ca.crt"
MOUNTED = f"/run/secrets/{CERTIFICATES}"
"""Path of the certificates in a step."""
PIP = frozenset({"index-url", "extra-index-url", "proxy", "timeout", "trusted-host"})
"""Settings of pip that hold on any machine; others name files of this one."""
NPM = ("registry", "proxy", "https-proxy", "strict-ssl", "//")
APT = ("Acquire::Check-", "Acquire::http", "Acquire::Retries")
CERTIFICATE_VARIABLES = ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")


def write_settings(folder: Path, environ: Mapping[str, str] = os.environ) -> dict[str, Path]:
    """Write the settings into a folder; return the files by the names of their secrets."""
    pip = dict(_pip_settings())
    certificates = _find_certificates(pip, environ)
    texts = {
        "pip.conf": pip_file(pip, has_certificates=certificates is not None),
        "npmrc": npm_file(_npm_lines(environ), has_certificates=certificates is not None),
        "apt.conf": apt_file(_output("apt-config", "dump")),
    }
    if certificates is not None:
        texts[CERTIFICATES] = certificates.read_text(encoding="utf-8")
    files = {}
    for name, text in texts.items():
        files[name] = folder / name
        files[name].touch(mode=0o600)
        files[name].write_text(text, encoding="utf-8")
    return files


def pip_file(settings: Mapping[str, str], *, has_certificates: bool) -> str:
    """Return a configuration of pip."""
    kept = {name: value for name, value in settings.items() if name in PIP}
    if has_certificates:
        kept["cert"] = MOUNTED
    lines = (f"{name} = {' '.join(value.split())}\n" for name, value in sorted(kept.items()))
    return "".join(("[global]\n", *lines))


def npm_file(lines: Iterable[str], *, has_certificates: bool) -> str:
    """Return a configuration of npm from the lines of this user's."""
    kept = [line for line in lines if line.startswith(NPM)]
    if has_certificates:
        kept.append(f"cafile={MOUNTED}")
    return "".join(f"{line}\n" for line in kept)


def apt_file(lines: Iterable[str]) -> str:
    """Return a configuration of apt from that of this machine."""
    return "".join(f"{line}\n" for line in lines if line.startswith(APT) and '""' not in line)


def _pip_settings() -> Iterator[tuple[str, str]]:
    """Yield settings of pip, those of the environment last."""
    lines = _output(sys.executable, "-m", "pip", "config", "list")
    for line in sorted(lines, key=lambda each: each.startswith(":env:")):
        place, _, value = line.partition("=")
        section, _, name = place.rpartition(".")
        if section in ("global", "install", "download", "wheel", ":env:"):
            yield name, str(ast.literal_eval(value))


def _find_certificates(pip: Mapping[str, str], environ: Mapping[str, str]) -> Path | None:
    names = [pip.get("cert", ""), *(environ.get(name, "") for name in CERTIFICATE_VARIABLES)]
    return next((Path(name) for name in names if name and Path(name).is_file()), None)


def _npm_lines(environ: Mapping[str, str]) -> list[str]:
    user = Path(environ.get("NPM_CONFIG_USERCONFIG") or Path.home() / ".npmrc")
    lines = user.read_text(encoding="utf-8").splitlines() if user.is_file() else []
    return [line.strip() for line in lines]


def _output(*command: str) -> list[str]:
    if not shutil.which(command[0]):
        return []
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    return done.stdout.splitlines() if done.returncode == 0 else []
