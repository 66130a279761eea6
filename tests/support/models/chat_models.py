"""Models that chat, the same in each dialect."""

from engine.models.manifest import Model
from tests.support.http.providers import provided
from tests.support.manifests import PROMPT, field

FIELDS = "".join(
    [
        PROMPT,
        field("system", "textarea"),
        field("photo", "image"),
        field("jsonSchema", "json"),
        field("maxTokens", "number", "max = 500"),
    ]
)
PRICING = """
[[pricing]]
unit = "input_token"
usd = "0.000001"
atMost = 1000

[[pricing]]
unit = "output_token"
usd = "0.000002"
field = "maxTokens"
"""
BODY = '\nmodel = "any"\nbody = { max_tokens = "{{ maxTokens }}" }'


def chat(section: str, more: str = BODY, **parts: str) -> Model:
    """Return a model whose section has these members beside those of the endpoint."""
    return provided(section, more, fields=FIELDS, pricing=PRICING, **parts)
