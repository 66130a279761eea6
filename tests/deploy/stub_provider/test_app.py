"""Paths of the stub."""

from starlette.testclient import TestClient


def test_a_path_that_is_not_served_is_said_in_json(stub: TestClient) -> None:
    answer = stub.get("/v1/nothing")

    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == "(stub) GET /v1/nothing is not served here."
