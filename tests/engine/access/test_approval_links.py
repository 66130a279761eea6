import string
from base64 import urlsafe_b64encode
from collections.abc import Sequence

import pytest

from engine.access.approval_links import PATH, SEAL_PLACE, ApprovalLinks, ApprovalPlace
from engine.access.sealing import Sealer

pytestmark = pytest.mark.A94a

OLD, NEW = "o" * 32, "n" * 32
PLACE = ApprovalPlace("acc_" + "5f" * 16, "3a1f7c52-0d6b-4f5e-9a51-6a5f4a3f0b11", 12)
BASE = "https://example.com/headrace/"


def links(keys: str = NEW, base: str = BASE) -> ApprovalLinks:
    return ApprovalLinks(Sealer.from_secret_key(keys), base)


def token_of(place: ApprovalPlace, keys: str = NEW) -> str:
    url = links(keys).url_of(place)
    assert url is not None
    return url.partition(PATH)[2]


def sealed_token(text: str, place: Sequence[str]) -> str:
    return urlsafe_b64encode(Sealer.from_secret_key(NEW).seal(text, place)).decode().rstrip("=")


def test_a_link_leads_to_its_approval_and_shows_nothing_of_it() -> None:
    url = links().url_of(PLACE)

    assert url == links().url_of(PLACE), "the link of an approval is always the same"
    assert url is not None and url.startswith("https://example.com/headrace/approvals/")
    token = url.partition(PATH)[2]
    assert set(token) <= set(string.ascii_letters + string.digits + "-_")
    assert len(token) <= 128
    assert links().read(token) == PLACE
    assert PLACE.account_id not in url and PLACE.execution_id not in url


def test_another_address_may_stand_in_a_link() -> None:
    url = links().url_of(PLACE, "http://127.0.0.1:8000/")

    assert url == f"http://127.0.0.1:8000/approvals/{token_of(PLACE)}"


def test_every_key_of_the_installation_opens_a_link() -> None:
    before = token_of(PLACE, OLD)

    assert links(f"{NEW},{OLD}").read(before) == PLACE
    assert links(f"{NEW},{OLD}").url_of(PLACE) == links(NEW).url_of(PLACE)
    assert links(NEW).read(before) is None


def test_an_installation_without_a_key_has_no_links() -> None:
    assert links("").url_of(PLACE) is None
    assert links("").read(token_of(PLACE)) is None


def test_no_other_text_is_a_token() -> None:
    token, reader = token_of(PLACE), links()
    changed = [
        token[:at] + other + token[at + 1 :]
        for at in range(len(token))
        for other in ("A", "_", "b")
        if token[at] != other
    ]
    other_node = token_of(ApprovalPlace(PLACE.account_id, PLACE.execution_id, 1))
    mixed = [token[:at] + other_node[at:] for at in range(8, len(token) - 8, 8)]
    last = [other_node[:-1] + each for each in string.ascii_letters if each != other_node[-1]]
    forms = [token + "=", token + "A", token[:-1], token.swapcase(), f" {token}", f"{token}\n"]
    odd = ["", "A", "A" * 300, "é" * 40, "a/b", "\0", "١" * 40, PLACE.execution_id, str(PLACE)]

    assert [each for each in (*changed, *mixed, *last, *forms, *odd) if reader.read(each)] == []


@pytest.mark.parametrize(
    "text", ["", "acc_1/e", "acc_1//3", "/e/3", "acc_1/e/-1", "a/e/03", "a/e/3/4"]
)
def test_a_sealed_text_that_is_no_place_is_no_token(text: str) -> None:
    assert links().read(sealed_token(text, SEAL_PLACE)) is None


def test_what_is_sealed_for_another_place_is_no_token() -> None:
    assert links().read(sealed_token(str(PLACE), SEAL_PLACE)) == PLACE
    assert links().read(sealed_token(str(PLACE), ("webhook", "acc_1", "key_1"))) is None
