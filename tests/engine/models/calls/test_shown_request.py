from engine.models.calls.shown_request import shown_request
from tests.support.manifests import PROMPT, field, model

HTTP = """[http]
base_url = "https://api.example.com"
base_url_env = "EXAMPLE_URL"
api_key_env = "EXAMPLE_KEY"
key_prefix = "Key "
path = "/v1/{{ size }}"
result = "made"
headers = { "X-Version" = "3", "X-Secret" = "hush" }
body = { words = "{{ prompt }}", size = "{{ size }}", seed = "{{ seed }}" }
"""
FIELDS = PROMPT + field("size", "number", "default = 4") + field("seed", "number")


def test_a_request_has_inputs_and_defaults_and_no_key() -> None:
    shown = shown_request(model(fields=FIELDS, call=HTTP), {"prompt": "Hello"})

    assert shown is not None
    assert (shown.method, shown.url) == ("POST", "${EXAMPLE_URL:-https://api.example.com}/v1/4")
    assert shown.body == {"words": "Hello", "size": 4}
    assert shown.headers == {"X-Version": "3", "X-Secret": "•••", "Authorization": "Key •••"}


def test_the_demo_provider_is_named_by_its_variable() -> None:
    shown = shown_request(model(fields=FIELDS, call=HTTP), {"prompt": "Hello"}, is_demo=True)

    assert shown is not None
    assert shown.url == "$EXAMPLE_URL/v1/4"


def test_an_address_without_a_variable_is_shown_as_it_is() -> None:
    call = HTTP.replace('base_url_env = "EXAMPLE_URL"\n', "")

    shown = shown_request(model(fields=FIELDS, call=call), {"prompt": "Hello"})

    assert shown is not None
    assert shown.url == "https://api.example.com/v1/4"


def test_other_protocols_make_requests_of_their_own() -> None:
    assert shown_request(model(), {"prompt": "Hello"}) is None
