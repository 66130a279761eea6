import random
import time
from pathlib import PurePosixPath
from urllib.parse import parse_qsl, urlsplit

import pytest

from engine.ids.partitions import partition_of
from engine.media.ids import is_asset_id, make_asset_id
from engine.media.links import WIDTHS, LinkSigner, round_width

KEY, OLD = "k" * 32, "o" * 32
EXPIRES = int(time.time()) + 60
LINKS = LinkSigner([KEY, OLD], "https://media.example.com/")
BAD_IDS = [
    *(
        "",
        "../../etc/passwd",
        "..%2f" * 5,
        "/etc/passwd",
        "a\x00" * 12,
        "C:\\x",
        "a" * 23,
        "a" * 25,
    ),
    *("..\\..\\windows\\win.ini", "\\\\host\\share\\x", "con", "lpt1.png", "aux:", "a" * 23 + ":"),
    *("a" * 10_000, "../" * 3_000, "%2e%2e%2f" * 20, "．．／" * 8, "~" * 24, "file:///etc/passwd"),
    *(
        "a" * 23 + "\\",
        "a" * 23 + " ",
        "a" * 23 + "%",
        "{hr00}:accounts",
        "*" * 24,
        "a" * 23 + "\x00",
    ),
    *(
        "a" * 23 + "/",
        "a" * 23 + ".",
        "a" * 23 + "\n",
        "ä" * 24,
        "１" * 24,
        "nul",
        "a" * 23,
        "a" * 25,
    ),
]


def query_of(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))


def test_an_id_leads_to_its_accounts_partition_and_nobody_guesses_it() -> None:
    ids = {make_asset_id("acc_1") for _ in range(500)}

    assert len(ids) == 500
    assert all(is_asset_id(each) and partition_of(each) == partition_of("acc_1") for each in ids)


@pytest.mark.parametrize("bad", [*BAD_IDS, None, 5])
def test_what_is_no_id_is_none(bad: object) -> None:
    assert not is_asset_id(bad)


def test_of_a_hundred_thousand_texts_none_leads_out_of_the_folder() -> None:
    dice, root = random.Random(1), PurePosixPath("/media")
    parts = ["..", "/", "\\", "\x00", "%2f", "~", ":", " ", "\n", "．", *"aZ-_9" * 40]
    texts = ("".join(dice.choices(parts, k=dice.randint(20, 26))) for _ in range(100_000))

    taken = [text for text in texts if is_asset_id(text)]

    assert all(set(text) <= set("aZ-_9") for text in taken)
    assert all((root / text[:2] / text).parent.parent == root for text in taken)
    assert len(taken) > 1_000


def test_a_link_leads_to_what_it_was_made_for() -> None:
    asset_id = make_asset_id("acc_1")

    plain = LINKS.read_url(LINKS.url(asset_id, EXPIRES))
    small = LINKS.read_url(LINKS.url(asset_id, EXPIRES, 256))

    assert plain and small
    assert (plain.asset_id, plain.expires, plain.width) == (asset_id, EXPIRES, None)
    assert (small.asset_id, small.width) == (asset_id, 256)


@pytest.mark.A92
def test_a_link_that_was_changed_leads_nowhere() -> None:
    asset_id, other = make_asset_id("acc_1"), make_asset_id("acc_1")
    query = query_of(LINKS.url(asset_id, EXPIRES))
    changes = [
        *({"expires": str(EXPIRES + 1)}, {"w": "256"}, {"w": ""}, {"signature": ""}),
        *({"signature": "0" * 64}, {"signature": "é" * 64}, {"expires": ""}, {"expires": "-1"}),
        *({"expires": "1e9"}, {"expires": "0" + query["expires"]}, {"expires": "9" * 30}),
        {"signature": query["signature"].upper()},
    ]

    assert LINKS.verify(asset_id, query) is not None
    assert LINKS.verify(other, query) is None
    for change in changes:
        assert LINKS.verify(asset_id, query | change) is None, change
    for missing in query:
        assert LINKS.verify(asset_id, {k: v for k, v in query.items() if k != missing}) is None


def test_links_of_a_key_that_is_on_its_way_out_are_good_and_new_ones_have_the_new_key() -> None:
    asset_id = make_asset_id("acc_1")
    before, after = LinkSigner([OLD], LINKS.base), LinkSigner([KEY], LINKS.base)

    assert LINKS.read_url(before.url(asset_id, EXPIRES)) is not None
    assert after.read_url(LINKS.url(asset_id, EXPIRES)) is not None
    assert after.read_url(before.url(asset_id, EXPIRES)) is None


@pytest.mark.parametrize(
    "url",
    [
        *("https://evil.example/media/x", "https://media.example.com.evil/media/", "", "media"),
        *("https://[x/media/x", f"https://media.example.com/media/x?{'a=1&' * 1_000}"),
    ],
)
def test_a_link_of_others_is_not_read(url: str) -> None:
    assert LINKS.read_url(url) is None


def test_a_width_is_rounded_up_to_one_that_is_made() -> None:
    assert [round_width(each) for each in (1, 64, 65, 1_024, 9_999)] == [64, 64, 128, 1_024, 1_024]
    assert WIDTHS[0] == 64 and WIDTHS[-1] == 1_024


def test_a_link_is_ours_by_its_signature_whichever_gateway_it_begins_with() -> None:
    asset_id = make_asset_id("acc_1")
    url = LinkSigner([KEY], "http://127.0.0.1:8000").url(asset_id, EXPIRES)

    found = LINKS.read_url(url)

    assert found is not None and found.asset_id == asset_id
    assert LINKS.read_url(url.replace("/media/", "/elsewhere/media/")) is None


def test_a_page_of_a_document_is_part_of_the_signature() -> None:
    asset_id = make_asset_id("acc_1")
    first, second = (query_of(LINKS.url(asset_id, EXPIRES, 256, page)) for page in (1, 2))

    assert "page" not in first
    assert [LINKS.verify(asset_id, each).page for each in (first, second)] == [1, 2]  # type: ignore[union-attr]
    changed = [
        first | {"page": "2"},
        second | {"page": "3"},
        {name: value for name, value in second.items() if name != "page"},
        {name: value for name, value in second.items() if name != "w"},
        *(second | {"page": page} for page in ("1", "0", "21", "-2", "2.0", "02", "", "two")),
    ]
    assert [LINKS.verify(asset_id, each) for each in changed] == [None] * len(changed)
