"""A further account of a scene, whose runs wait for a slow target."""

import itertools
import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from deploy.net.http_client import Unreachable, call
from tests.support.deaths.scene import CAPABILITIES, GATEWAY, Scene
from tests.support.drains.fleet import Member
from tests.support.factories import Graph

_numbers = itertools.count()


@dataclass(frozen=True, kw_only=True)
class Caller:
    """An account with one workflow: a call that takes as many seconds as the input says."""

    scene: Scene
    key: str
    slug: str

    @property
    def path(self) -> str:
        return f"/api/workflows/{self.slug}/run"

    def headers(self, idempotency_key: str) -> dict[str, str]:
        """Return the headers of a raw request."""
        return {
            "x-api-key": self.key,
            "content-type": "application/json",
            "idempotency-key": idempotency_key,
        }

    def run(self, member: Member, body: Any, idempotency_key: str) -> tuple[int, Any]:
        """Run at a gateway and wait; status 0: the connection broke."""
        headers = {"Idempotency-Key": idempotency_key}
        url = member.url + self.path
        try:
            return call("POST", url, key=self.key, body=body, headers=headers, timeout=60)
        except (Unreachable, OSError):
            return 0, None

    def read(self, execution_id: str) -> Any:
        """Return an execution."""
        return self._get(f"/api/executions/{execution_id}")

    def rows(self) -> list[Any]:
        """Return the rows of all executions."""
        rows: list[Any] = []
        cursor = ""
        while True:
            page = self._get(f"/api/executions?limit=200{cursor}")
            rows += page["rows"]
            if not page["nextCursor"]:
                return rows
            cursor = f"&cursor={page['nextCursor']}"

    def statuses(self) -> Counter[str]:
        """Return the number of executions by status."""
        return Counter(row["status"] for row in self.rows())

    def _get(self, path: str) -> Any:
        url = self.scene.living(GATEWAY)[-1].url + path
        status, answer = call("GET", url, key=self.key, timeout=60)
        assert status == 200, json.dumps(answer)
        return answer


def open_caller(scene: Scene) -> Caller:
    """Make the account and its workflow."""
    name = f"caller{next(_numbers)}"
    _, key = scene.fleet.make_account(name, *CAPABILITIES)
    url = f"{scene.target.url}/late/{{{{ pause }}}}/{{{{ who }}}}"
    graph = Graph("who", "pause").node("call", "httpRequest", url=url).node("out", "responseOutput")
    graph.wire("in.who > call.who", "in.pause > call.pause", "call.response-out > out.result-in")
    return Caller(scene=scene, key=key, slug=scene.fleet.save(key, f"Slow {name}", graph))
