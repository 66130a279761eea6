"""The stub provider as a part of a stack, in the place of providers that are not set up."""

import asyncio
import os
import socket
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from deploy.net.host_ports import port_of, reserve_port, url_of
from deploy.net.http_client import Unreachable, call
from deploy.stack.supervisor import Part
from engine.models.dialects.endpoint import ProviderEndpoint
from engine.models.registry import shipped_models

HOST = "127.0.0.1"
HEALTH_SECONDS = 2.0
DEMO_URL = "HEADRACE_DEMO_PROVIDER_URL"
DEMO_KEY = "demo"
"""Value of the variables of keys; the stub takes any."""
PATHS = {
    "ANTHROPIC_BASE_URL": "",
    "ARK_BASE_URL": "/api/v3",
    "FAL_BASE_URL": "/fal",
    "GEMINI_BASE_URL": "",
    "GEMINI_OPENAI_BASE_URL": "/v1",
    "GROQ_BASE_URL": "/v1",
    "HEADRACE_LOCAL_MODEL_URL": "/v1",
    "OPENAI_BASE_URL": "/v1",
    "SUNO_BASE_URL": "",
}
"""Path of the stub for each variable with a base URL of shipped models."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoProvider:
    """A stub at a reserved port, and the variables that lead calls of shipped models there."""

    reserved: socket.socket
    addresses: Mapping[str, str]
    """Variables with base URLs."""
    keys: Mapping[str, str]
    real: tuple[str, ...]
    """Variables of the environment because of which models ask their real providers."""

    @classmethod
    def prepare(cls, environ: Mapping[str, str] = os.environ) -> "DemoProvider":
        """Reserve a port and choose the providers to replace: those of which nothing is set."""
        reserved = reserve_port(HOST, 0)
        url = url_of(HOST, port_of(reserved))
        addresses: dict[str, str] = {}
        keys: dict[str, str] = {}
        real: set[str] = set()
        for endpoints in _providers():
            names = {name for each in endpoints for name in (each.base_url_env, each.api_key_env)}
            set_names = {name for name in names if environ.get(name, "").strip()}
            real |= set_names
            if not set_names:
                addresses |= {
                    each.base_url_env: url + PATHS[each.base_url_env] for each in endpoints
                }
                keys |= {each.api_key_env: DEMO_KEY for each in endpoints if each.api_key_env}
        return cls(reserved=reserved, addresses=addresses, keys=keys, real=tuple(sorted(real)))

    @property
    def url(self) -> str:
        """Address of the stub."""
        return url_of(HOST, port_of(self.reserved))

    @property
    def gateway_environ(self) -> dict[str, str]:
        """Variables of gateways, which need the addresses to check manifests but no key."""
        return {DEMO_URL: self.url, **self.addresses}

    @property
    def worker_environ(self) -> dict[str, str]:
        """Variables of workers."""
        return {**self.gateway_environ, **self.keys}

    def part(self, stage: int) -> Part:
        """Return the program that serves it."""
        address = ("--host", HOST, "--port", str(port_of(self.reserved)))
        return Part(
            name="demo provider",
            command=(sys.executable, "-P", "-m", "deploy", "stub-provider", *address),
            stage=stage,
        )

    async def is_serving(self) -> bool:
        """Return whether it answers."""
        try:
            status, _ = await asyncio.to_thread(
                call, "GET", f"{self.url}/stub/calls", timeout=HEALTH_SECONDS
            )
        except Unreachable:
            return False
        return status == 200


def _providers() -> Iterable[list[ProviderEndpoint]]:
    """Return the endpoints of shipped models by provider, which has one key or one address."""
    providers: dict[str, dict[str, ProviderEndpoint]] = {}
    for model in shipped_models():
        endpoint = model.call.endpoint
        if endpoint is not None and endpoint.base_url_env in PATHS:
            name = endpoint.api_key_env or endpoint.base_url_env
            providers.setdefault(name, {})[endpoint.base_url_env] = endpoint
    return [list(each.values()) for each in providers.values()]
