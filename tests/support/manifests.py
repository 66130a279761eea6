"""Short manifests and models."""

from engine.models.manifest import Model, parse_manifest

PROMPT = '[[fields]]\nname = "prompt"\ntype = "text"\nrequired = true\n'
PER_CALL = '[[pricing]]\nunit = "call"\nusd = "0.010"\n'
ANSWER = '[builtin]\ntemplate = "<{{ prompt }}>"\n'


def manifest(
    name: str = "own",
    *,
    category: str = "text",
    tier: str = "free",
    head: str = "",
    fields: str = PROMPT,
    pricing: str = PER_CALL,
    call: str = ANSWER,
) -> str:
    """Return a manifest; `head` has further top-level members."""
    top = f'internalName = "{name}"\nname = "A model"\ncategory = "{category}"\ntier = "{tier}"\n'
    return "\n".join((top + head, fields, pricing, call))


def field(name: str, kind: str = "text", more: str = "") -> str:
    """Return a field; `more` has further members."""
    return f'[[fields]]\nname = "{name}"\ntype = "{kind}"\n{more}\n'


def model(name: str = "own", **parts: str) -> Model:
    """Return the model of such a manifest."""
    return parse_manifest(manifest(name, **parts), f"{name}.toml")
