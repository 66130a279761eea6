"""Requests generated from a description, and answers that deviate from it."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import schemathesis
from schemathesis import engine
from schemathesis.engine import events

from engine.media.ids import is_asset_id

RULES: list[dict[str, Any]] = tomllib.loads(
    (Path(__file__).parents[3] / "schemathesis.toml").read_text()
)["operations"]
EXPECTED = ["2xx", "3xx", "401", "403", "404", "409", "422", "429"]
"""Statuses of a valid run; 422 is for an `Idempotency-Key` that came with another body."""
RUN_RULES = [
    {
        "include-operation-id": "run_workflow",
        "checks": {"positive_data_acceptance": {"expected-statuses": EXPECTED}},
    },
]
"""For a workflow's own description, which determines all inputs of its run."""


class Search:
    """All of Schemathesis' checks, on requests of one caller."""

    def __init__(self, url: str, auth: dict[str, str], **headers: str) -> None:
        self._url = url
        self._auth = {name: {"api_key": value} for name, value in auth.items()}
        self._headers = headers

    def findings(
        self, path: str = "/openapi.json", *, count: int, seed: int = 1, **config: Any
    ) -> list[str]:
        """Return the deviations from the document at `path`, each with a request that shows it.

        `count` requests are generated for each operation, beside those at its limits.
        """
        settings = {
            "seed": seed,
            "base-url": self._url,
            "auth": {"openapi": self._auth},
            "headers": self._headers,
            "continue-on-failure": True,
            "generation": {"max-examples": count, "deterministic": True, "database": "none"},
            "operations": RULES,
            **config,
        }
        schema = schemathesis.openapi.from_dict(
            self._read(path), config=schemathesis.Config.from_dict(settings)
        )
        schema.hook(filter_body)
        # The same deviation is often found in several ways.
        found = {
            text: None for event in engine.from_schema(schema).execute() for text in _told_by(event)
        }
        return list(found)

    def _read(self, path: str) -> Any:
        key = {"x-api-key": self._auth["key"]["api_key"]} if "key" in self._auth else {}
        with httpx2.Client(base_url=self._url, trust_env=False, headers=key, timeout=30) as client:
            answer = client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()


def filter_body(context: schemathesis.HookContext, body: Any) -> bool:
    """Drop what no schema can refuse: integers beyond 64 bits, and ids of assets."""
    if isinstance(body, dict | list):
        items = body.values() if isinstance(body, dict) else body
        return all(filter_body(context, item) for item in items)
    if isinstance(body, str):
        return not is_asset_id(body)
    return not isinstance(body, int) or -(2**63) <= body < 2**63


def _told_by(event: events.EngineEvent) -> Iterator[str]:
    if isinstance(event, events.NonFatalError):
        yield f"{event.label}: {event.value!r}"
    elif isinstance(event, events.FatalError):
        raise event.exception
    elif isinstance(event, events.ScenarioFinished):
        for check in (each for checks in event.recorder.checks.values() for each in checks):
            if check.failure_info is not None:
                failure, request = check.failure_info.failure, check.failure_info.code_sample
                yield f"{event.recorder.label}: {check.name}: {failure}\n{request[:2_000]}\n"
