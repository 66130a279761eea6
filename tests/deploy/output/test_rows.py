from decimal import Decimal

import pytest

from deploy.output.rows import bucket_text, key_row, price_text
from engine.store import ApiKey
from engine.store.accounts.principals import KeyClient

FEBRUARY = 1_801_440_000_000


@pytest.mark.parametrize(
    ("bucket", "text"),
    [
        ("m0", "allowance"),
        (f"m{FEBRUARY}", "allowance until 2027-02-01"),
        ("t0.0123456789abcdef", "top-up 01234567"),
        (f"t{FEBRUARY}.invoice", "top-up invoice until 2027-02-01"),
    ],
)
def test_a_bucket_says_what_it_is_and_until_when(bucket: str, text: str) -> None:
    assert bucket_text(bucket) == text


@pytest.mark.parametrize(
    ("usd", "unit", "text"),
    [
        (10, "image", "10 USD per image"),
        (Decimal("0.010"), "call", "0.010 USD per call"),
        (Decimal("3E-7"), "input_token", "0.0000003 USD per input token"),
    ],
)
def test_a_price_is_written_out(usd: object, unit: str, text: str) -> None:
    assert price_text({"usd": usd, "unit": unit}) == text


@pytest.mark.parametrize("client", [None, KeyClient(id="client-1", name="Notes")])
def test_a_key_names_the_client_that_was_granted_it(client: KeyClient | None) -> None:
    key = ApiKey(
        id="key_1",
        account_id="acc_1",
        name="Laptop",
        prefix="hr_live_",
        last4="Qk3d",
        capabilities=("workflow:run",),
        created_at=1,
        client=client,
    )

    assert key_row(key)["client"] == (client and client.name)
