"""Expressions of schedules in the form: their parts, and their meaning in words."""

import random
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from engine.triggers.cron import parse_cron
from engine.triggers.occurrences import FailReason, SkipReason
from gateway.ui import build_pages
from tests.support.e2e.bundles import open_functions

pytestmark = pytest.mark.slow
TRIGGERS = build_pages.SOURCES / "src" / "triggers"
BEGIN_MS = 1_772_323_200_000
ROUND = "cron => { const parts = choices.partsOf(cron); return parts && choices.cronOf(parts); }"
CHOSEN = """cron => choices.CHOICES.filter(each => choices.isChoice(cron, each))
  .map(each => each.name).join()"""


@pytest.fixture(scope="module")
def choices(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder = tmp_path_factory.mktemp("choices")
    page = open_functions(chromium, TRIGGERS / "schedule" / "choices.ts", "choices", folder)
    yield page
    page.close()


@pytest.fixture(scope="module")
def cron_words(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder = tmp_path_factory.mktemp("cron")
    page = open_functions(chromium, TRIGGERS / "cron.ts", "cron", folder)
    yield page
    page.close()


@pytest.fixture(scope="module")
def words(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder = tmp_path_factory.mktemp("words")
    page = open_functions(chromium, TRIGGERS / "words.ts", "words", folder)
    yield page
    page.close()


def days_of_week(dice: random.Random) -> str:
    """Return a random field for days of the week, with single days and ranges."""
    parts: list[str] = []
    for _ in range(dice.randint(1, 3)):
        first = dice.randint(0, 7)
        last = dice.randint(first, 7)
        parts.append(str(first) if dice.random() < 0.5 else f"{first}-{last}")
    return ",".join(parts)


def test_controls_keep_the_due_times_of_an_expression(choices: Page) -> None:
    dice = random.Random(33)
    for _ in range(150):
        days = dice.choice(["*", days_of_week(dice)])
        day = dice.choice(["*", str(dice.randint(1, 31))]) if days == "*" else "*"
        cron = f"{dice.randint(0, 59)} {dice.randint(0, 23)} {day} * {days}"

        written = choices.evaluate(ROUND, cron)

        due = parse_cron(cron, "Europe/Berlin").after(BEGIN_MS, 20)
        assert parse_cron(written, "Europe/Berlin").after(BEGIN_MS, 20) == due, (cron, written)


@pytest.mark.parametrize(
    "cron",
    [
        *("*/5 * * * *", "0 9 1 * 1", "0 9 * 1 *", "0,30 9 * * *", "0 9-17 * * *", "0 9 * * MON"),
        *("60 9 * * *", "0 24 * * *", "0 9 32 * *", "0 9 * * 8", "0 9 * * 1-3-5", "0 9 * * 5-1"),
        *("@daily", "", "0 9 * *", "0 9 L * *"),
    ],
)
def test_other_expressions_have_no_controls(choices: Page, cron: str) -> None:
    assert choices.evaluate(ROUND, cron) is None


@pytest.mark.parametrize(
    ("cron", "name"),
    [
        ("*/5 * * * *", "Every 5 minutes"),
        (" 0  * * * * ", "Every hour"),
        ("15 7 * * *", "Every day"),
        ("15 7 * * 0-6", "Every day"),
        ("15 7 * * 1-5", "On weekdays"),
        ("15 7 * * 1,2,3,4,5", "On weekdays"),
        ("15 7 * * 7", "Every week"),
        ("15 7 31 * *", "Every month"),
        ("15 7 * * 0,6", ""),
        ("*/10 * * * *", ""),
    ],
)
def test_the_choice_that_an_expression_is(choices: Page, cron: str, name: str) -> None:
    assert choices.evaluate(CHOSEN, cron) == name


def test_a_choice_keeps_the_time_that_is_set(choices: Page) -> None:
    choose = (
        "([name, before]) => choices.choose(choices.CHOICES.find(c => c.name === name), before)"
    )

    assert choices.evaluate(choose, ["Every week", "30 7 * * *"]) == "30 7 * * 1"
    assert choices.evaluate(choose, ["Every day", "*/5 * * * *"]) == "0 9 * * *"
    assert choices.evaluate(choose, ["Every hour", "30 7 * * *"]) == "0 * * * *"


@pytest.mark.parametrize(
    ("cron", "meaning"),
    [
        ("* * * * *", "Every minute"),
        ("0 9 * * 1-5", "At 09:00, Monday through Friday"),
        ("30 6,18 * * *", "At 06:30 and 18:30"),
        ("@weekly", "At 00:00, only on Sunday"),
        ("@hourly", "Every hour"),
        ("0 9 * * 7", "At 09:00, only on Sunday"),
        ("*/5 9-17 * * 1-5", "Every 5 minutes, between 09:00 and 17:59, Monday through Friday"),
        ("0 0 1 */3 *", "At 00:00, on day 1 of the month, every 3 months"),
        ("*/40 * * * *", "Every 40 minutes (counted anew each hour)"),
        ("0 */5 * * *", "On the hour, every 5 hours (counted anew each day)"),
        (
            "0 0 13 * 5",
            "At 00:00, on day 13 of the month, or on Friday (each day that fits either)",
        ),
        (
            "0 0 */2 * 1",
            "At 00:00, every 2 days in a month, and on Monday (only days that fit both)",
        ),
        ("0 0 */1 * 5", "At 00:00, only on Friday"),
        ("61 * * * *", ""),
        ("* * * *", ""),
        ("0 9 * * * *", ""),
        ("now and then", ""),
    ],
)
def test_the_words_of_an_expression(cron_words: Page, cron: str, meaning: str) -> None:
    assert cron_words.evaluate("text => cron.cronInWords(text)", cron) == meaning


@pytest.mark.parametrize("reason", [*SkipReason, *FailReason])
def test_each_reason_is_a_sentence(words: Page, reason: str) -> None:
    found = words.evaluate(
        "reason => words.reasonOf({status: 'failed', reason: reason})", str(reason)
    )

    assert found[0].isupper()
    assert found.endswith(".")


def test_missed_times_that_are_told_together_are_counted(words: Page) -> None:
    occurrence = {"status": "missed", "reason": None, "count": 1_440}

    assert words.evaluate("one => words.reasonOf(one)", occurrence).startswith("1,440 due times")
    assert words.evaluate("one => words.reasonOf(one)", occurrence | {"count": 1}).startswith("The")


@pytest.mark.parametrize(
    ("at", "zone", "shown"),
    [
        ("2026-03-29T00:59:00.000Z", "Europe/Berlin", "Sun, 29 Mar 2026, 01:59 CET"),
        ("2026-03-29T01:00:00.000Z", "Europe/Berlin", "Sun, 29 Mar 2026, 03:00 CEST"),
        ("2026-01-01T00:00:00.000Z", "Asia/Kathmandu", "Thu, 1 Jan 2026, 05:45 GMT+5:45"),
        ("2026-01-01T00:00:00.000Z", "Mars/Base", "Thu, 01 Jan 2026 00:00:00 GMT"),
    ],
)
def test_a_moment_in_a_zone(words: Page, at: str, zone: str, shown: str) -> None:
    assert words.evaluate("([at, zone]) => words.momentIn(at, zone)", [at, zone]) == shown


@pytest.mark.parametrize(
    ("ms", "shown"),
    [
        (-1, "now"),
        (59_000, "in under 1 min"),
        (7_140_000, "in 119 min"),
        (27_120_000, "in 7 h 32 min"),
        (90_000_000, "in 25 h"),
        (864_000_000, "in 10 days"),
    ],
)
def test_the_time_until_a_moment(words: Page, ms: int, shown: str) -> None:
    until = "ms => words.until(new Date(1e12 + ms).toISOString(), 1e12)"

    assert words.evaluate(until, ms) == shown
