"""Calls of the API for aliases."""

from typing import Any, cast

from deploy.client.api import Api
from deploy.client.releases.aliases import AliasCaller, CanaryRule


class Recorder:
    """Answers each call in turn, and keeps them."""

    def __init__(self, *answers: Any) -> None:
        self.left = list(answers)
        self.calls: list[tuple[Any, ...]] = []

    async def get(self, path: str) -> Any:
        return self._answer("GET", path)

    async def put(self, path: str, body: Any) -> Any:
        return self._answer("PUT", path, body)

    async def post(self, path: str, body: Any = None) -> Any:
        return self._answer("POST", path, body)

    async def delete(self, path: str) -> Any:
        return self._answer("DELETE", path)

    def _answer(self, *call: Any) -> Any:
        self.calls.append(call)
        return self.left.pop(0)


def caller(recorder: Recorder) -> AliasCaller:
    return AliasCaller(cast(Api, recorder), "a b")


def test_a_rule_leaves_out_what_is_left_to_the_server() -> None:
    whole = CanaryRule(percent=5, min_runs=20, max_error_rate=0.0, max_p95_ms=900)

    assert CanaryRule(percent=5).members() == {"percent": 5}
    assert whole.members() == {"percent": 5, "minRuns": 20, "maxErrorRate": 0.0, "maxP95Ms": 900}


async def test_each_call_names_workflow_and_alias() -> None:
    recorder = Recorder({}, {}, {}, {})
    own = caller(recorder)

    await own.set("stable", {"version": 3})
    await own.promote("stable")
    await own.canary("live")
    await own.delete("stable")

    path = "/api/workflows/a%20b/aliases"
    assert recorder.calls == [
        ("PUT", f"{path}/stable", {"version": 3}),
        ("POST", f"{path}/stable/promote", None),
        ("GET", f"{path}/live/canary"),
        ("DELETE", f"{path}/stable"),
    ]


async def test_lists_are_rows() -> None:
    recorder = Recorder({"rows": [{"name": "live"}]}, {"rows": [{"at": 2}, {"at": 1}]}, {})
    own = caller(recorder)

    assert await own.aliases() == [{"name": "live"}]
    assert [each["at"] for each in await own.history("live")] == [2, 1]
    assert await own.get("live") == {}
    assert [call[1].rpartition("/")[2] for call in recorder.calls] == ["aliases", "history", "live"]
