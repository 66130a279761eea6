import json
from typing import Any

import pytest

from deploy.admin.examples import example_documents
from tests.support.acceptance.running_stack import RunningStack
from tests.support.http.target import stub_server

NAMES = sorted(document["name"] for document in example_documents())


def run(stack: RunningStack, slug: str, **inputs: Any) -> Any:
    status, answer = stack.api("POST", f"/api/workflows/{slug}/run", {"inputs": inputs})
    assert status == 200, answer
    return answer["result"]


@pytest.mark.parametrize("name", NAMES)
def test_an_example_says_what_it_is_for_and_can_be_run_as_it_is(
    stack: RunningStack, name: str
) -> None:
    document = next(one for one in example_documents() if one["name"] == name)
    form = next(node for node in document["nodes"] if node["type"] == "requestInput")
    slug = name.lower().replace(" ", "-")

    assert document["description"].endswith(".")
    assert all("default" in field for field in form["data"]["fields"])
    assert run(stack, slug) is not None


def test_a_letter_is_written_from_the_form(stack: RunningStack) -> None:
    assert run(stack, "greeting-letter", name="Grace", occasion="thank you", sender="Ada") == {
        "text": "Dear Grace,\n\nall the best on this occasion (thank you)!\n\nYours,\nAda"
    }


def test_a_mail_merge_leaves_out_those_who_did_not_agree(stack: RunningStack) -> None:
    people = [
        {"name": "Ada", "email": "ada@example.org", "agreed": True},
        {"name": "Grace", "email": "grace@example.org", "agreed": False},
    ]

    assert run(stack, "mail-merge", people=people, offer={"title": "Sale", "discount": 5}) == [
        {"to": "ada@example.org", "subject": "Sale", "body": "Hello Ada, 5 % off for you."}
    ]


def test_a_price_has_its_discount_and_its_surcharge(stack: RunningStack) -> None:
    result = run(
        stack, "price-quote", quantity=200, unitPrice=1.25, express=True, customer="Grace Ltd"
    )

    assert (result["net"], result["surcharge"]) == (225, 25)
    assert "Dear Grace Ltd" in result["letter"]
    assert "200 pieces for 225 euros" in result["letter"]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ({"number": "1", "total": 20, "country": "FR"}, "1 over 20 euros to FR is confirmed."),
        (
            {"number": "2", "total": 900, "country": "FR"},
            "2 over 900 euros to FR goes to a person.",
        ),
        ({"number": "3", "total": 20, "country": "US"}, "3 over 20 euros to US goes to a person."),
    ],
)
def test_an_order_takes_one_branch_alone(
    stack: RunningStack, order: dict[str, Any], expected: str
) -> None:
    assert run(stack, "order-triage", order=order) == {"text": f"Order {expected}"}


def test_a_lead_becomes_a_contact(stack: RunningStack) -> None:
    lead = {
        "first": "Grace",
        "last": "Hopper",
        "mail": "grace@example.org",
        "phone": "1",
        "company": {"name": "Navy", "size": 5000},
        "interests": ["compilers"],
    }

    assert run(stack, "lead-to-contact", lead=lead) == {
        "fullName": "Grace Hopper",
        "email": "grace@example.org",
        "account": {"name": "Navy", "segment": "large"},
        "tags": ["interest:compilers"],
        "phone": "1",
    }


def test_headlines_come_as_a_list_and_as_a_page(stack: RunningStack) -> None:
    result = run(stack, "headline-variants", product="X", benefit="it works")

    assert result["variants"] == [
        "X: it works.",
        "What if it works? Meet X.",
        "With X, it works. Today.",
    ]
    assert (
        result["page"]
        == "1. X: it works.\n2. What if it works? Meet X.\n3. With X, it works. Today."
    )


def test_a_model_is_asked_and_charged_for(stack: RunningStack) -> None:
    body = {"inputs": {"question": "Why?"}}

    _, answer = stack.api("POST", "/api/workflows/ask-a-model/run", body)

    assert answer["result"] == {"text": "Answer in one sentence: Why?"}
    assert answer["cost"] == 12


def test_a_product_sheet_has_a_sentence_and_facts_of_the_shape_asked_for(
    stack: RunningStack,
) -> None:
    result = run(stack, "product-sheet", notes="A blue kettle.")

    assert result["pitch"].startswith("(stub) ")
    assert result["pitch"].endswith("A blue kettle.")
    assert result["facts"].keys() == {"product", "madeIn", "euros"}


def test_a_health_check_tells_well_from_unreachable(stack: RunningStack) -> None:
    with stub_server(holds=True) as server:
        url = f"{server.url}/there"
        assert run(stack, "health-check", url=url) == {"verdict": "well", "status": 200, "url": url}

    assert run(stack, "health-check", url=url) == {
        "verdict": "unreachable",
        "status": None,
        "url": url,
    }


@pytest.mark.parametrize(
    ("amounts", "total", "receiver"),
    [
        ([999.9, 250.07], 1249.97, "review"),
        ([0.1, 0.2], 0.3, "booking"),
        ([], 0, None),
    ],
)
def test_the_total_of_orders_is_posted_to_one_of_two_places_or_to_none(
    stack: RunningStack, amounts: list[float], total: float, receiver: str | None
) -> None:
    summary = {"orders": len(amounts), "total": total}
    values = {
        "/orders": [{"number": str(i), "amount": amount} for i, amount in enumerate(amounts)],
        "/review": {"receivedBy": "review"},
        "/booking": {"receivedBy": "booking"},
    }

    with stub_server(values=values) as server:
        urls = {f"{name}Url": f"{server.url}/{name}" for name in ("orders", "review", "booking")}
        result = run(stack, "order-report", **urls)
        posts = [each for each in server.requests if each.method == "POST"]

    answers = {
        name: {"receivedBy": name} if name == receiver else None for name in ("review", "booking")
    }
    assert result == {"status": 200, "summary": summary} | answers
    assert [each.path for each in posts] == ([f"/{receiver}"] if receiver else [])
    assert all(json.loads(each.body) == summary for each in posts)
    assert all(each.headers["content-type"] == "application/json" for each in posts)


def test_nothing_is_posted_when_the_orders_cannot_be_fetched(stack: RunningStack) -> None:
    with stub_server() as server:
        posts_to = {f"{name}Url": f"{server.url}/{name}" for name in ("review", "booking")}
        result = run(stack, "order-report", ordersUrl=f"{server.url}/status/404", **posts_to)

    assert result == {"status": 404, "summary": None, "review": None, "booking": None}
    assert [each.path for each in server.requests] == ["/status/404"]


def test_an_example_is_readable_as_json() -> None:
    assert len(NAMES) >= 6
    assert json.dumps(example_documents())
