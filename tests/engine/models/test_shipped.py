"""The models that ship: every family that the contract names, with its page and its fallbacks."""

import pytest

from engine.models.manifest import Category, Model
from engine.models.registry import all_models, find_model
from engine.models.sections.builtin import Builtin

PROVIDED = [each for each in all_models() if not isinstance(each.call, Builtin)]
FAMILIES = {
    "Claude": Category.TEXT,
    "GPT-": Category.TEXT,
    "Gemini": Category.TEXT,
    "GPT Image": Category.IMAGE,
    "Nano Banana": Category.IMAGE,
    "Seedream": Category.IMAGE,
    "Seedance": Category.VIDEO,
    "Kling": Category.VIDEO,
    "Suno": Category.AUDIO,
}


@pytest.mark.parametrize(("family", "category"), FAMILIES.items())
def test_every_family_has_a_model(family: str, category: Category) -> None:
    found = [each for each in PROVIDED if each.name.startswith(family)]

    assert found and {each.category for each in found} == {category}


@pytest.mark.parametrize("model", PROVIDED, ids=lambda model: model.internal_name)
def test_a_model_names_its_page_its_key_and_another_address(model: Model) -> None:
    assert not isinstance(model.call, Builtin)
    assert model.source.startswith("https://")
    assert model.call.endpoint.api_key_env and model.call.endpoint.base_url_env
    assert model.pricing


@pytest.mark.parametrize("model", PROVIDED, ids=lambda model: model.internal_name)
def test_fallbacks_are_there_and_give_the_same_kind(model: Model) -> None:
    for name in model.fallback:
        other = find_model(name)
        assert other is not None and other.category is model.category
