"""A model for agents that no test calls."""

from engine.models.manifest import Model
from tests.support.manifests import PROMPT, field, model

FIELDS = "".join(
    [
        PROMPT,
        field("system", "textarea"),
        field("image", "image"),
        field("temperature", "number", "min = 0\nmax = 1"),
    ]
)
PRICING = '[[pricing]]\nunit = "call"\nusd = "0.002"\n'
COST = 2
"""Credits of one turn."""


def agent_model() -> Model:
    """Return a model that takes tools, with the shape of OpenAI's chats."""
    call = (
        '[openai]\nbase_url = "http://127.0.0.1:9"\nmodel = "m"\n'
        'body = { temperature = "{{ temperature }}" }\n'
    )
    return model("thinker", fields=FIELDS, pricing=PRICING, call=call)
