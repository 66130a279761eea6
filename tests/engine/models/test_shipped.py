"""Shipped models: all families of the contract, with sources and fallbacks."""

import re
from importlib import resources

import pytest

from engine.models.dialects.builtin import BuiltinSection
from engine.models.manifest import Category, Model
from engine.models.pricing import cost_micro_usd
from engine.models.registry import all_models, find_model

CALLED = [each for each in all_models() if not isinstance(each.call, BuiltinSection)]
HERE = [each for each in CALLED if not each.call.endpoint.base_url]
"""Whose address only an environment variable says: they run on a machine of one's own."""
PROVIDED = [each for each in CALLED if each not in HERE]
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
    assert not isinstance(model.call, BuiltinSection)
    assert model.source.startswith("https://")
    assert model.call.endpoint.api_key_env and model.call.endpoint.base_url_env
    assert model.pricing


def about_of(model: Model) -> str:
    """Return the comments of a manifest."""
    file = resources.files("engine.models").joinpath("shipped", f"{model.internal_name}.toml")
    lines = file.read_text().splitlines()
    return " ".join(line.lstrip("# ") for line in lines if line.startswith("#"))


@pytest.mark.parametrize("model", PROVIDED, ids=lambda model: model.internal_name)
def test_a_model_says_what_was_seen_of_it_and_when(model: Model) -> None:
    assert re.search(r"\bSeen 20\d\d-\d\d-\d\d: \w", about_of(model))


@pytest.mark.parametrize("model", PROVIDED, ids=lambda model: model.internal_name)
def test_a_model_names_the_page_of_its_prices_or_says_that_they_are_to_be_checked(
    model: Model,
) -> None:
    about = about_of(model)

    assert ("the operator's to" in about) is not model.price_source.startswith("https://")


def test_one_model_runs_here_free_of_charge_and_says_how_to_start_it() -> None:
    (model,) = HERE

    assert not isinstance(model.call, BuiltinSection)
    assert "headrace up --local" in model.call.endpoint.setup
    assert model.source.startswith("https://")
    assert cost_micro_usd(model.pricing, model.max_usage({"prompt": "Hi"})) == 0


@pytest.mark.parametrize("model", PROVIDED, ids=lambda model: model.internal_name)
def test_fallbacks_are_there_and_give_the_same_kind(model: Model) -> None:
    for name in model.fallback:
        other = find_model(name)
        assert other is not None and other.category is model.category
