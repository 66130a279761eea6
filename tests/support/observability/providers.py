"""Stub providers of models whose faults a test plants and takes back while a stack runs."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from starlette.types import Receive, Scope, Send

from deploy.stub_provider.app import create_app
from deploy.stub_provider.limits import LimitOptions
from tests.support.http.providers import serving
from tests.support.manifests import manifest

NAMES = ("steady", "shaky")
"""Models, each of a provider of its own."""


@dataclass
class FaultyProvider:
    """The stub as the provider of one model; its calls have the script of the planted fault."""

    name: str
    url: str = ""
    fault: str = ""
    """Script of the stub, such as `fail=500`, `fail=429 retry-after=2`, `delay=3000` or `hang`."""
    calls: int = 0
    headers: list[dict[str, str]] = field(default_factory=list)
    """Headers of the last calls."""

    def __post_init__(self) -> None:
        self._app = create_app(LimitOptions(), "")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a call."""
        if scope["type"] == "http":
            self.calls += 1
            heard = {name.decode(): value.decode() for name, value in scope["headers"]}
            self.headers = [*self.headers[-99:], heard]
            if self.fault:
                planted = (b"x-stub", self.fault.encode())
                scope = {**scope, "headers": [*scope["headers"], planted]}
        await self._app(scope, receive, send)

    @property
    def environ(self) -> dict[str, str]:
        """Return the variables that lead the calls of the model here."""
        name = self.name.upper()
        return {f"{name}_URL": f"{self.url}/v1", f"{name}_KEY": "any"}

    def manifest(self) -> str:
        """Return the manifest of the model."""
        name = self.name.upper()
        lines = (
            "[openai]",
            'base_url = "http://127.0.0.1:9"',
            f'base_url_env = "{name}_URL"',
            f'api_key_env = "{name}_KEY"',
            'model = "any"',
            'idempotency_header = "Idempotency-Key"',
        )
        return manifest(self.name, call="\n".join(lines) + "\n")


@contextlib.contextmanager
def faulty_providers(folder: Path) -> Iterator[dict[str, FaultyProvider]]:
    """Run a provider for each model, with their manifests in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as closing:
        found = {name: FaultyProvider(name) for name in NAMES}
        for name, provider in found.items():
            provider.url = closing.enter_context(serving(provider))
            (folder / f"{name}.toml").write_text(provider.manifest())
        yield found
