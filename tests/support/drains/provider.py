"""The stub provider with a record of all of its calls, and a model that calls it."""

import contextlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.net.http_client import call
from deploy.stub_provider import calls
from tests.support.factories import Graph
from tests.support.http.providers import ENDPOINT, stub_provider
from tests.support.manifests import manifest

MODEL = "chat"
MOST_CALLS = 1_000_000
SECTION = f"""[openai]{ENDPOINT}model = 'any'
idempotency_header = "Idempotency-Key"
"""


class Provider:
    """The stub at an address."""

    def __init__(self, url: str) -> None:
        self._url = url

    @property
    def environ(self) -> dict[str, str]:
        """Variables that lead the calls of the model here."""
        return {"PROVIDER_URL": f"{self._url}/v1", "PROVIDER_KEY": "any"}

    @property
    def running(self) -> int:
        """Return the number of calls under way."""
        return int(self._report()["running"])

    def repeated(self) -> "Repeated":
        """Return the prompts that were sent more than once."""
        keys: dict[str, list[str | None]] = defaultdict(list)
        for each in self._report()["recent"]:
            keys[each["prompt"]].append(each["idempotencyKey"])
        twice = {prompt: found for prompt, found in keys.items() if len(found) > 1}
        same = Counter(prompt for prompt, found in twice.items() if len({*found}) == 1)
        return Repeated(prompts=sorted(twice), with_one_key=len(same), most=_most(keys))

    def _report(self) -> Any:
        return call("GET", f"{self._url}/stub/calls", timeout=60)[1]


class Repeated:
    """Calls that the provider got again."""

    def __init__(self, *, prompts: list[str], with_one_key: int, most: int) -> None:
        self.prompts = prompts
        self.with_one_key = with_one_key
        """Number of these prompts of which all calls had one idempotency key."""
        self.most = most
        """Most calls of one prompt."""


def _most(keys: dict[str, list[str | None]]) -> int:
    return max(map(len, keys.values()), default=0)


@contextlib.contextmanager
def recording_provider() -> Iterator[Provider]:
    """Run the stub, which keeps all calls rather than the last ones."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calls, "KEPT", MOST_CALLS)
        with stub_provider() as url:
            yield Provider(url)


def write_model(folder: Path) -> str:
    """Write the manifest of the model; return the folder's path."""
    folder.mkdir()
    (folder / f"{MODEL}.toml").write_text(manifest(MODEL, call=SECTION))
    return str(folder)


def asking() -> Graph:
    """Call of the model with the input, whose answer is the result."""
    graph = Graph("who").node("model", "customModel", model=MODEL).node("out", "responseOutput")
    return graph.wire("in.who > model.prompt-in", "model.text-out > out.result-in")
