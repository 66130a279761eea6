import pytest

from deploy.net.http_client import Unreachable, call
from deploy.output.problems import ApiRefused, with_reasons
from tests.support.http.target import stub_server


def test_an_answer_that_is_no_json_is_its_text() -> None:
    with stub_server(holds=True) as server:
        assert call("GET", f"{server.url}/hello?a=b") == (200, "hello?a=b")


def test_nobody_there_is_one_sentence() -> None:
    with pytest.raises(Unreachable, match=r"^http://127.0.0.1:1 does not answer \(.+\)\.$"):
        call("GET", "http://127.0.0.1:1/readyz", timeout=1)


def test_a_refusal_repeats_what_the_api_said() -> None:
    answer = {"error": "No", "code": "INVALID_GRAPH", "problems": [{"reason": "x", "nodeId": "a"}]}

    assert str(ApiRefused(400, answer)) == "No: a: x"
    assert str(ApiRefused(502, "<html>")) == "The API answered 502."


def test_a_problem_of_the_whole_graph_has_no_place() -> None:
    assert with_reasons("No", [{"reason": "x"}, {"reason": "y", "edgeId": "e"}]) == "No: x; e: y"


def test_a_problem_in_a_body_is_named_with_the_nodes_around_it() -> None:
    problem = {"reason": "x", "nodeId": "each", "edgeId": "e", "path": ["each", "inner", "call"]}

    assert with_reasons("No", [problem]) == "No: each › inner › call: x"
