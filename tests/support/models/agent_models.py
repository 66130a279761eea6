"""Models for agents, whose provider a test scripts."""

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


def agent_model(base_url: str = "http://127.0.0.1:9", name: str = "thinker") -> Model:
    """Return a model that takes tools, with the shape of OpenAI's chats."""
    call = (
        f'[openai]\nbase_url = "{base_url}"\nmodel = "m"\n'
        'body = { temperature = "{{ temperature }}" }\n'
    )
    return model(name, fields=FIELDS, pricing=PRICING, call=call)
