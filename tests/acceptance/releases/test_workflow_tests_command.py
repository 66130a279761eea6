"""`headrace workflow test`, over HTTP and beside the stack."""

import json
from pathlib import Path
from xml.etree import ElementTree

from tests.support.acceptance.commands import json_of
from tests.support.acceptance.running_stack import RunningStack
from tests.support.gateway.documents import greeting


def test_a_pipeline_tests_a_draft_and_publishes_only_what_passes(
    stack: RunningStack, tmp_path: Path
) -> None:
    remote = {"HEADRACE_URL": stack.url, "HEADRACE_API_KEY": stack.key}
    tests = {
        "good": {"inputs": {"name": "Ada"}, "expect": ['result.text.contains("Ada")']},
        "loud": {"inputs": {"name": "Ada"}, "expect": ['result.text == "HELLO Ada"']},
    }
    file, report = tmp_path / "greeting.json", tmp_path / "report.xml"
    document = greeting("Tested in a pipeline", tests=tests)
    file.write_text(json.dumps(document))
    slug = json_of(stack, "workflow", "push", str(file), **remote)["slug"]
    document |= {"slug": slug, "draft": True}
    file.write_text(json.dumps(document))
    stack.command("workflow", "push", str(file), **remote)

    failed = stack.command("workflow", "test", slug, "--junit", str(report), **remote)
    refused = stack.command("workflow", "publish", slug, "--require-tests", "--yes", **remote)
    some = stack.command("workflow", "test", slug, "--name", "good", "--version", "live")
    document["nodes"][1]["data"]["text"] = "HELLO {{ name }}"
    file.write_text(json.dumps(document))
    stack.command("workflow", "push", str(file), **remote)
    passed = json_of(stack, "workflow", "test", slug, "--version", "draft", **remote)
    published = json_of(stack, "workflow", "publish", slug, "--require-tests", "--yes", **remote)
    unknown = stack.command("workflow", "test", slug, "--name", "other", **remote)

    assert failed.returncode == 1
    assert "FAILED  loud" in failed.stdout
    assert '          result.text = "Hello Ada"' in failed.stdout
    assert f"{slug}, the draft: 1 passed, 1 failed" in failed.stdout
    suite = ElementTree.parse(report).getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert refused.returncode == 1 and "1 of 2 tests did not pass" in refused.stderr
    assert some.returncode == 0 and "version 1: 1 passed" in some.stdout
    assert [row["verdict"] for row in passed["rows"]] == ["passed", "passed"]
    assert published["version"] == 2
    assert unknown.returncode == 1 and "no test of this name" in unknown.stderr
    stack.command("workflow", "delete", slug, **remote)
