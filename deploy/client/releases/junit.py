"""Test runs as JUnit XML, the format that programs of continuous integration read."""

import re
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from deploy.client.api import Answer
from deploy.client.releases.testing import reasons_of

UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML cannot have."""
ELEMENTS = {"failed": "failure", "error": "error", None: "skipped"}
"""Elements of the verdicts that are none of a pass; a test without a verdict was not run."""


def junit_xml(run: Answer) -> bytes:
    """Return a test run as JUnit XML: one suite, with a case for each test."""
    counts = run["counts"]
    totals = {
        "tests": str(len(run["rows"])),
        "failures": str(counts["failed"]),
        "errors": str(counts["error"]),
        "skipped": str(counts["pending"]),
        "time": _seconds(sum(row["durationMs"] or 0 for row in run["rows"])),
    }
    suites = Element("testsuites", totals)
    about = {"name": run["workflowSlug"], "timestamp": run["createdAt"], "id": run["testRunId"]}
    suite = SubElement(suites, "testsuite", about | totals)
    for row in run["rows"]:
        _add_case(suite, run["workflowSlug"], row)
    indent(suites)
    encoded: bytes = tostring(suites, encoding="utf-8", xml_declaration=True)
    return encoded + b"\n"


def _add_case(suite: Element, slug: str, row: Answer) -> None:
    case = SubElement(
        suite,
        "testcase",
        {"classname": slug, "name": row["name"], "time": _seconds(row["durationMs"] or 0)},
    )
    element = ELEMENTS.get(row["verdict"])
    if element is None:
        return
    lines = [UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", each) for each in reasons_of(row)]
    child = SubElement(case, element, {"message": lines[0] if lines else "It did not run"})
    child.text = "\n".join(lines)


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.3f}"
