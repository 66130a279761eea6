"""Addresses in results: pages load assets by themselves, and ask other hosts on demand alone."""

import io
from collections.abc import Callable

import pytest
from PIL import Image
from playwright.sync_api import Page, Route, expect

from tests.e2e.conftest import MakePage
from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.workflows import asking, naming_addresses

pytestmark = [pytest.mark.A70, pytest.mark.slow]
ELSEWHERE = "https://pictures.example"
MADE_UP = f"{ELSEWHERE}/what-the-prompt-said.png"
LIKE_AN_ASSET = f"{ELSEWHERE}/media/0123456789abcdef01234567?expires=9999999999&signature=0"


@pytest.fixture(scope="module")
def slug(stack: RunningStack) -> str:
    """A workflow that answers with addresses of another host, and has run."""
    document = naming_addresses("Made up", MADE_UP, [MADE_UP.replace("what", "which")])
    _, saved = stack.api("POST", "/api/workflows", document)
    return str(saved["slug"])


def run_in_playground(page: Page, slug: str) -> None:
    page.goto(f"/app/playground/{slug}")
    page.get_by_role("button", name="Run").click()
    completed = page.get_by_role("region", name="Result").get_by_text("completed")
    expect(completed.first).to_be_visible()


def test_a_made_up_address_is_a_link_and_is_shown_on_demand_in_a_tab(page: Page, slug: str) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (4, 3), "teal").save(picture, "PNG")
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(body=picture.getvalue(), content_type="image/png")

    page.context.route(f"{ELSEWHERE}/**", answer)
    run_in_playground(page, slug)
    result = page.get_by_role("region", name="Result")
    expect(result.get_by_role("link", name=MADE_UP, exact=True)).to_be_visible()
    assert (asked, result.locator("img").count()) == ([], 0)

    with page.expect_popup() as opened:
        result.get_by_role("link", name="Show picture: picture").click()
    opened.value.wait_for_load_state()

    assert asked == [MADE_UP]
    assert opened.value.evaluate("window.opener") is None
    assert opened.value.evaluate("document.referrer") == ""


def test_the_page_of_an_execution_and_the_editor_ask_no_other_host(
    page: Page, stack: RunningStack, slug: str
) -> None:
    _, ran = stack.api("POST", f"/api/workflows/{slug}/run", {"inputs": {}})

    page.goto(f"/app/executions/{ran['executionId']}")
    expect(page.get_by_text(MADE_UP).first).to_be_visible()
    page.goto(f"/app/editor/{slug}")
    page.get_by_role("article", name="Response Output result").wait_for()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("status", name="Run")).to_contain_text("The run is completed")
    page.locator(".react-flow__node[data-id=list] header").click()
    page.get_by_role("button", name="Values").click()

    expect(page.get_by_role("dialog").get_by_role("link", name="Show picture")).to_have_count(1)
    expect(page.locator(".react-flow__node img")).to_have_count(0)


def test_an_address_that_looks_like_an_asset_asks_no_other_host(
    page: Page, stack: RunningStack, complaints: list[str]
) -> None:
    document = naming_addresses("Alike", LIKE_AN_ASSET, [LIKE_AN_ASSET])
    _, saved = stack.api("POST", "/api/workflows", document)

    run_in_playground(page, saved["slug"])
    page.wait_for_timeout(500)

    assert [each for each in complaints if "another host" in each] == []
    complaints.clear()  # this host does not have the asset


def test_assets_load_under_each_name_of_the_loopback(
    make_page: MakePage,
    stack: RunningStack,
    sign_in_link: Callable[[], str],
    complaints: list[str],
) -> None:
    document = asking("Painted", "painter", "image-out", "A kettle")
    _, saved = stack.api("POST", "/api/workflows", document)
    here = stack.url.replace("127.0.0.1", "localhost")
    page = make_page(base_url=here)
    page.goto(sign_in_link().replace(stack.url, here))

    run_in_playground(page, saved["slug"])
    image = page.get_by_role("region", name="Result").get_by_role("img")

    expect(image).to_be_visible()
    assert image.evaluate("each => each.complete && each.naturalWidth") > 0
    page.close()
    assert all(f"another host was asked: {here}/" in each for each in complaints)
    complaints.clear()
