"""Calls as code: each runs as it is shown, with the built clients and without them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.clients.typescript.installed import NODE, install
from tests.support.acceptance.running_stack import RunningStack
from tests.support.documents.small_pdf import small_pdf
from tests.support.e2e.workflows import edge, greeting, node

pytestmark = pytest.mark.slow
NAME = """O'Neill "the" \\ first ${x} `y`"""
WAYS = ("With the client", "Plain HTTP")
CASES = [("curl", None), *((name, way) for name in ("Python", "TypeScript") for way in WAYS)]
PYTHON_CLIENT = Path(__file__).parents[3] / "deploy" / "clients" / "python"


@pytest.fixture(scope="module", autouse=True)
def workflows(stack: RunningStack) -> None:
    stack.api("POST", "/api/workflows", greeting("In code"))
    invoice = {"name": "invoice", "label": "Invoice", "type": "file", "required": True}
    document = {
        "name": "File in code",
        "nodes": [
            node("form", "requestInput", 0, fields=[invoice]),
            node("read", "documentText", 1),
            node("result", "responseOutput", 2),
        ],
        "edges": [
            edge("form", "invoice", "read", "file-in"),
            edge("read", "text-out", "result", "result-in"),
        ],
    }
    stack.api("POST", "/api/workflows", document)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Has the TypeScript client installed."""
    return install(tmp_path_factory.mktemp("snippets"))


def choose(page: Page, language: str, way: str | None) -> str:
    """Return the code of a tab."""
    page.get_by_role("tab", name=language, exact=True).click()
    if way:
        page.get_by_role("radiogroup", name="Way to call").get_by_text(way).click()
    code = page.get_by_role("region", name=f"{language} call")
    expect(code).to_be_visible()
    return code.inner_text()


def run(language: str, code: str, folder: Path, stack: RunningStack) -> str:
    """Run code in the folder as a user does; return what it prints."""
    (folder / "call.ts").write_text(code)
    command = {
        "curl": ("bash", "-c", code),
        "Python": (sys.executable, "-c", code),
        "TypeScript": (*NODE, "call.ts"),
    }[language]
    environ = {**os.environ, "HEADRACE_API_KEY": stack.key, "PYTHONPATH": str(PYTHON_CLIENT)}
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(("language", "way"), CASES)
def test_the_code_of_the_playground_works_when_it_is_pasted(
    language: str, way: str | None, page: Page, stack: RunningStack, folder: Path
) -> None:
    page.goto("/app/playground/in-code")
    page.get_by_label("Name").fill(NAME)

    code = choose(page, language, way)

    assert "$HEADRACE_API_KEY" in code
    assert "Neill" in run(language, code, folder, stack)


@pytest.mark.parametrize(("language", "way"), CASES)
def test_the_code_of_an_execution_runs_its_version_again(
    language: str, way: str | None, page: Page, stack: RunningStack, folder: Path
) -> None:
    inputs = {"name": NAME}
    _, answer = stack.api("POST", "/api/workflows/in-code/run", {"inputs": inputs})
    first = stack.api("GET", f"/api/executions/{answer['executionId']}")[1]
    stack.api("PUT", "/api/workflows/in-code", greeting("In code"))  # a later version is live
    page.goto(f"/app/executions/{answer['executionId']}?tab=call")
    page.get_by_role("tab", name="Call").click()

    assert "Neill" in run(language, choose(page, language, way), folder, stack)

    row = stack.api("GET", "/api/executions?workflowSlug=in-code&limit=1")[1]["rows"][0]
    assert row["executionId"] != answer["executionId"]
    assert row["workflowVersion"] == first["workflowVersion"]
    assert stack.api("GET", "/api/workflows/in-code")[1]["version"] > first["workflowVersion"]


@pytest.mark.parametrize(("language", "way"), CASES)
def test_the_code_of_a_model_calls_it(
    language: str, way: str | None, page: Page, stack: RunningStack, folder: Path
) -> None:
    page.goto("/app/models/gpt-mini")

    assert "(stub)" in run(language, choose(page, language, way), folder, stack)


@pytest.mark.parametrize(("language", "way"), CASES)
def test_the_code_uploads_a_file_that_is_needed_and_not_chosen(
    language: str, way: str | None, page: Page, stack: RunningStack, folder: Path
) -> None:
    (folder / "document.pdf").write_bytes(small_pdf("Invoice 4711"))
    page.goto("/app/playground/file-in-code")
    expect(page.get_by_text("files that it uploads first")).to_be_visible()

    code = choose(page, language, way)

    assert "Invoice 4711" in run(language, code, folder, stack)


def test_the_choice_is_remembered(page: Page) -> None:
    page.goto("/app/playground/in-code")
    expect(page.get_by_role("region", name="curl call")).to_be_visible()

    choose(page, "TypeScript", "Plain HTTP")
    page.goto("/app/models/gpt-mini")

    expect(page.get_by_role("region", name="TypeScript call")).to_contain_text("await fetch")
    expect(page.get_by_role("radio", name="Plain HTTP")).to_be_checked()
    choose(page, "TypeScript", "With the client")
    expect(page.get_by_text("make dist && npm install dist/headrace-*.tgz")).to_be_visible()
