"""The table of rows in the playground: typed, pasted or read from a file, and begun as a batch."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.batches import cell, open_table, paste, started
from tests.support.e2e.workflows import every_field, greeting

pytestmark = pytest.mark.slow
MANY = 1_000


@pytest.fixture(scope="module", autouse=True)
def workflows(stack: RunningStack) -> None:
    stack.api("POST", "/api/workflows", every_field("Rows of fields"))
    stack.api("POST", "/api/workflows", greeting("Rows of names"))


def test_rows_are_pasted_added_and_deleted_and_become_a_batch(page: Page) -> None:
    open_table(page, "rows-of-names")
    paste(page, "Name", 1, "Name\tTags\nAda\tfirst\nBob\t\nZoe\tlast, of all\n")
    page.get_by_role("button", name="Delete row 2").click()
    page.get_by_role("button", name="Add row").click()
    expect(cell(page, "Name", 3)).to_be_focused()
    page.keyboard.type("Max")
    page.keyboard.press("Enter")
    expect(cell(page, "Name", 4)).to_be_focused()
    expect(page.get_by_text("3 rows, 0 credits")).to_be_visible()
    page.get_by_label("Tags", exact=True).fill("names")
    page.get_by_label("Runs at a time").fill("2")

    batch_id = started(page)

    expect(page.get_by_role("heading", level=1)).to_contain_text("completed")
    items = page.get_by_role("table", name="Items").get_by_role("row")
    expect(items).to_have_count(4)
    for place, text in enumerate(("Hello Ada!", "Hello Zoe!", "Hello Max!"), 1):
        expect(items.nth(place)).to_contain_text(text)
    page.get_by_role("link", name="Execution of item 1").click()
    expect(page.get_by_text("Item 1 of")).to_be_visible()
    tags = page.get_by_role("list", name="Tags").get_by_role("listitem")
    expect(tags).to_have_count(3)
    assert {"names", "last", "of all"} == set(tags.all_inner_texts())
    page.get_by_role("link", name=batch_id[:8]).click()
    expect(page).to_have_url(re.compile(f"/app/batches/{batch_id}$"))


def test_a_deleted_row_comes_back(page: Page) -> None:
    open_table(page, "rows-of-names")
    paste(page, "Name", 1, "Ada\nBob")
    page.get_by_role("button", name="Delete row 1").click()
    expect(cell(page, "Name", 1)).to_have_value("Bob")

    page.get_by_text("Deleted the row").locator("..").get_by_role("button", name="Undo").click()

    expect(cell(page, "Name", 1)).to_have_value("Ada")


def test_columns_of_a_file_are_guessed_changed_by_hand_and_checked(
    page: Page, tmp_path: Path
) -> None:
    file = tmp_path / "mugs.csv"
    file.write_text('headline;Copies;TONE;loud;x\n"A; mug";12;Calm;yes;1\nB;3;;no;2\nC;3;sad;;3\n')
    open_table(page, "rows-of-fields")
    page.get_by_label("CSV file").set_input_files(file)
    expect(page.get_by_text("Title is needed, and no column gives it.")).to_be_visible()
    for column, chosen in (("Copies", "copies"), ("TONE", "tone"), ("loud", "loud"), ("x", "")):
        expect(page.get_by_label(f'Column "{column}"')).to_have_value(chosen)
    page.get_by_label('Column "headline"').select_option("Title")

    page.get_by_role("button", name="Fill the table with 3 rows").click()

    faults = page.get_by_role("list", name="Cells at fault").get_by_role("listitem")
    expect(faults).to_have_text(["Row 1, Copies: At most 9.", "Row 3, Tone: One of: calm, lively."])
    expect(cell(page, "Copies", 1)).to_have_accessible_description("At most 9.")
    page.get_by_role("button", name="Start batch").click()
    expect(cell(page, "Copies", 1)).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("2")
    faults.get_by_role("button", name="Row 3, Tone").click()
    cell(page, "Tone", 3).select_option("lively")
    expect(faults).to_have_count(0)
    started(page)
    items = page.get_by_role("table", name="Items")
    expect(page.get_by_role("heading", level=1)).to_contain_text("completed")
    expect(items.get_by_role("row").nth(1)).to_contain_text('"copies":2')
    expect(items.get_by_role("row").nth(1)).to_contain_text("A; mug")


def test_what_the_server_finds_wrong_is_shown_at_its_row(
    page: Page, stack: RunningStack, complaints: list[str]
) -> None:
    open_table(page, "rows-of-fields")
    paste(page, "Title", 1, "One\nTwo\nThree")
    cell(page, "Photo", 2).fill("no-such-asset-of-24-lett")

    page.get_by_role("button", name="Start batch").click()

    faults = page.get_by_role("list", name="Cells at fault").get_by_role("listitem")
    expect(faults).to_have_count(1)
    expect(faults).to_contain_text("Row 2, Photo")
    expect(cell(page, "Photo", 2)).to_have_attribute("aria-invalid", "true")
    cell(page, "Photo", 2).fill("")
    expect(faults).to_have_count(0)
    complaints[:] = [each for each in complaints if "400" not in each]


def test_of_a_thousand_rows_only_those_near_the_view_are_drawn(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "names.csv"
    file.write_text("name\n" + "".join(f"Number {place}\n" for place in range(MANY)))
    open_table(page, "rows-of-names")
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Fill the table with 1,000 rows").click()
    expect(page.get_by_text("1,000 rows, 0 credits")).to_be_visible()

    page.get_by_role("region", name="Table of rows").evaluate("box => { box.scrollTop = 1e6 }")

    expect(cell(page, "Name", MANY)).to_have_value("Number 999")
    assert page.locator("[data-row]").count() < 100
    cell(page, "Name", MANY).fill("The last")
    started(page)
    expect(page.get_by_text("1,000 of 1,000 ended")).to_be_visible(timeout=120_000)


def test_a_file_with_too_many_lines_is_refused_here(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "names.csv"
    file.write_text("name\n" * (MANY + 2))
    open_table(page, "rows-of-names")

    page.get_by_label("CSV file").set_input_files(file)

    expect(page.get_by_text("has too many lines: a batch has at most 1,000")).to_be_visible()
