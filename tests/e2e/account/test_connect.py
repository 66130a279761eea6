"""The page on which an owner connects a client of OAuth."""

from collections.abc import Callable, Iterator

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import SignIn
from tests.support.acceptance.running_stack import RunningStack
from tests.support.oauth.local_program import LocalProgram, local_program

pytestmark = pytest.mark.slow
PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
ACCEPT = {"accept": "application/json, text/event-stream"}


@pytest.fixture
def program(stack: RunningStack, complaints: list[str]) -> Iterator[LocalProgram]:
    """A program whose address is no other host's, although it is not the page's own."""
    with local_program(stack.url) as program:
        yield program
        own = "another host was asked: http://127.0.0.1:"
        complaints[:] = [each for each in complaints if not each.startswith(own)]


def ping(stack: RunningStack, token: str) -> int:
    headers = {**ACCEPT, "authorization": f"Bearer {token}"}
    return httpx2.post(f"{stack.url}/mcp", json=PING, headers=headers).status_code


def test_a_program_is_connected_to_chosen_workflows_and_revoked(
    page: Page, stack: RunningStack, program: LocalProgram
) -> None:
    page.goto(program.address())

    expect(page.get_by_role("heading", name="Connect a program")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("calls itself Notes")
    expect(page.get_by_role("main")).to_contain_text(program.redirect_uri)
    expect(page.get_by_role("main")).to_contain_text("a program on this computer")
    page.get_by_role("button", name="Connect").click()
    expect(page.get_by_role("alert")).to_contain_text("Choose at least one workflow")
    page.get_by_role("checkbox", name="Greeting letter").check()
    page.get_by_role("button", name="Connect").click()
    expect(page.get_by_role("heading", name="Back in Notes")).to_be_visible()
    token = program.exchange()

    assert ping(stack, token) == 200
    page.goto("/app/api/keys")
    row = page.get_by_role("row", name="Notes")
    expect(row).to_contain_text("Granted to this program")
    expect(row).to_contain_text("workflow:greeting-letter:run")
    row.get_by_role("button", name="Revoke").click()
    page.get_by_role("button", name="Revoke key").click()
    expect(row).to_have_count(0)
    assert ping(stack, token) == 401


def test_a_program_is_connected_to_all_workflows(page: Page, program: LocalProgram) -> None:
    page.goto(program.address())
    page.get_by_role("radio", name="All workflows").check()

    page.get_by_role("button", name="Connect").click()
    expect(page.get_by_role("heading", name="Back in Notes")).to_be_visible()
    program.exchange()

    page.goto("/app/api/keys")
    row = page.get_by_role("row", name="Notes")
    expect(row).to_contain_text("workflow:run")
    row.get_by_role("button", name="Revoke").click()
    page.get_by_role("button", name="Revoke key").click()
    expect(row).to_have_count(0)


def test_a_refusal_goes_back_to_the_program(page: Page, program: LocalProgram) -> None:
    page.goto(program.address())

    page.get_by_role("button", name="Refuse").click()
    expect(page.get_by_role("heading", name="Back in Notes")).to_be_visible()

    assert program.answer()["error"] == "access_denied"
    page.goto("/app/api/keys")
    expect(page.get_by_role("row", name="Notes")).to_have_count(0)


def test_a_request_is_answered_once(
    page: Page, program: LocalProgram, complaints: list[str]
) -> None:
    page.goto(program.address())
    path = page.url
    page.get_by_role("button", name="Refuse").click()
    expect(page.get_by_role("heading", name="Back in Notes")).to_be_visible()

    page.goto(path)

    expect(page.get_by_role("alert")).to_contain_text("answered already")
    complaints[:] = [each for each in complaints if "404" not in each]


def test_a_visitor_signs_in_and_comes_back(
    visitor: Page, program: LocalProgram, sign_in_link: Callable[[], str]
) -> None:
    visitor.goto(program.address())
    expect(visitor.get_by_role("main")).to_contain_text("load this page again")
    waiting = visitor.url
    visitor.goto(sign_in_link())
    visitor.goto(waiting)

    visitor.get_by_role("button", name="Refuse").click()

    expect(visitor.get_by_role("heading", name="Back in Notes")).to_be_visible()


def test_a_tier_without_keys_is_told_so(
    sign_in_as: SignIn, program: LocalProgram, complaints: list[str]
) -> None:
    page = sign_in_as("free")

    page.goto(program.address())

    expect(page.get_by_role("alert")).to_contain_text("has no API keys")
    page.get_by_role("button", name="Go back to the program").click()
    expect(page.get_by_role("heading", name="Back in Notes")).to_be_visible()
    assert program.answer()["error"] == "access_denied"
    complaints[:] = [each for each in complaints if "403" not in each]


@pytest.mark.A99c
def test_a_hostile_name_is_one_line_of_text(
    page: Page, stack: RunningStack, complaints: list[str]
) -> None:
    name = "<img src=x onerror=alert(1)>\u202eedualC\nYour administrator"
    with local_program(stack.url, name) as program:
        page.goto(program.address())

        shown = page.locator(".client-name")
        expect(shown).to_have_text("<img src=x onerror=alert(1)> edualC Your administrator")
        assert page.locator("main img").count() == 0
    assert complaints == []


@pytest.mark.A99b
def test_a_wrong_request_sends_the_browser_nowhere_unasked(
    page: Page, program: LocalProgram, complaints: list[str]
) -> None:
    page.goto(program.address(response_type="token"))

    link = page.get_by_role("link", name="Go back to 127.0.0.1")
    expect(link).to_be_visible()
    assert program.answers == []
    link.click()
    expect(page.get_by_role("heading", name="Back in Notes")).to_be_visible()
    assert program.answer()["error"] == "unsupported_response_type"
    complaints[:] = [each for each in complaints if "400" not in each]


def test_a_program_with_a_scheme_of_its_own_is_connected(
    page: Page, program: LocalProgram, complaints: list[str]
) -> None:
    program.redirect_uri = "notes://connected/callback"
    program.register()
    page.goto(program.address())
    expect(page.get_by_role("main")).to_contain_text("notes: the program on this computer")
    page.get_by_role("radio", name="All workflows").check()

    page.get_by_role("button", name="Connect").click()

    expect(page.get_by_role("heading", name="The program is connected.")).to_be_visible()
    complaints[:] = [each for each in complaints if "notes://connected/" not in each]
