"""Speak: calls a model that says a text."""

from engine.models.manifest import Category, Model
from engine.nodes.generators import Generator
from engine.nodes.support.model_calls import (
    SPOKEN,
    TEXT_INLET,
    VOICE,
    ModelNodeKind,
    model_members,
)


def _refuse_others(model: Model) -> str:
    return "" if model.is_speaker else f"has no field '{SPOKEN}' with the text to say"


class Speak(Generator):
    """Makes a sound of a text, or of each in a list."""

    type = "speak"
    category = "Speech"
    label = "Speak"
    description = "Calls a model that says a text."
    node_kind = ModelNodeKind(
        category=Category.AUDIO,
        inlets=(TEXT_INLET,),
        options=(VOICE,),
        templates=(SPOKEN,),
        takes_params=False,
        refuses=_refuse_others,
    )
    members = model_members(node_kind)
