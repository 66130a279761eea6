"""Test runs as JUnit XML."""

from xml.etree import ElementTree

from deploy.client.releases.junit import junit_xml
from tests.deploy.client.releases.test_testing import expectation, row, run


def test_each_verdict_is_a_case_with_its_element() -> None:
    broken = {"code": "EXECUTION_FAILED", "message": "It\x00 broke"}
    whole = run(
        row("passed", expectation("true", True)),
        row("failed", expectation("cost < 2.0", False)),
        row("error", error=broken),
        row(None),
    )

    suites = ElementTree.fromstring(junit_xml(whole))

    [suite] = suites
    assert suites.attrib == {
        "tests": "4",
        "failures": "1",
        "errors": "1",
        "skipped": "1",
        "time": "0.036",
    }
    assert (suite.get("name"), suite.get("id")) == ("greeting", "run-1")
    passed, failed, error, skipped = suite
    assert passed.attrib == {"classname": "greeting", "name": "greets", "time": "0.012"}
    assert list(passed) == []
    assert failed[0].tag == "failure" and failed[0].get("message") == "cost < 2.0"
    assert failed[0].text == "cost < 2.0\n  cost = 3"
    assert error[0].get("message") == "EXECUTION_FAILED: It\N{REPLACEMENT CHARACTER} broke"
    assert (skipped[0].tag, skipped[0].get("message")) == ("skipped", "It did not run")
