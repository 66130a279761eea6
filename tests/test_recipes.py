"""The recipes: an addition touches the files that its recipe names, and tests notice a lack.

A copy of the tree gets a made-up addition of each kind, and the tests that must notice it run
there.
"""

import re
from pathlib import Path

import pytest

from tests.support.recipes.filters import FILTER
from tests.support.recipes.nodes_and_models import DIALECT, NODE_TYPE
from tests.support.recipes.recipe import ROOT, Recipe, copy_tree, failing, follow
from tests.support.recipes.routes_and_errors import ERROR_CODE, ROUTE
from tests.support.recipes.settings_and_transitions import SETTING, TRANSITION

pytestmark = pytest.mark.timeout(300)

COUNTS = (
    (NODE_TYPE, 4),
    (DIALECT, 6),
    (ROUTE, 3),
    (ERROR_CODE, 2),
    (SETTING, 3),
    (TRANSITION, 3),
    (FILTER, 5),
)
RECIPES = [recipe for recipe, _ in COUNTS]
PAGE = ROOT / "docs" / "contributing" / "recipes.md"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the tree."""
    copy_tree(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("recipe", "count"), COUNTS, ids=lambda each: getattr(each, "name", ""))
def test_a_recipe_needs_few_files_and_its_page_says_how_many(recipe: Recipe, count: int) -> None:
    [said] = re.findall(rf"^\| {recipe.name} \|.*\| (\d) \|$", PAGE.read_text(), re.MULTILINE)

    assert len(recipe.files) == int(said) == count


def test_additions_by_the_recipes_pass_all_their_checks(tree: Path) -> None:
    follow(RECIPES, tree)

    assert failing(RECIPES, tree) == set()


def test_pages_and_tests_that_are_left_out_are_noticed(tree: Path) -> None:
    left_out = {
        each for recipe in RECIPES for each in recipe.files if each.startswith(("docs/", "tests/"))
    }

    follow(RECIPES, tree, left_out)

    assert failing(RECIPES, tree) == {
        "test_every_node_type_is_documented",
        "test_each_node_type_is_in_the_registry_once_and_has_a_sample",
        "test_its_kind_and_category_are_those_of_the_contract",
        "test_every_script_has_a_scenario_here",
        "test_a_script_called_again_changes_nothing",
        "test_every_error_code_is_documented",
        "test_the_page_of_errors_says_the_same",
        "test_every_setting_is_documented_with_its_default",
        "test_a_contract_test_names_each_route_and_its_requirement",
        "test_a_module_has_a_test_module_of_its_name_or_a_reason",
        "test_every_field_has_a_case",
        "test_the_guide_names_every_filter",
    }


def test_lines_of_registries_that_are_left_out_are_noticed(
    tree: Path,
) -> None:
    recipes = (NODE_TYPE, DIALECT, ROUTE, FILTER)
    registries = {"engine/nodes/__init__.py", "workers/providers/model_caller.py", "gateway/app.py"}
    registries |= {"gateway/ui/src/executions/filters.ts"}

    follow(recipes, tree, left_out=registries)

    assert failing(recipes, tree) == {
        "test_every_node_type_is_documented",
        "test_a_graph_with_it_can_be_saved",
        "test_every_way_to_be_called_has_a_dialect",
        "test_a_prompt_is_answered_in_capital_letters",
        "test_a_contract_test_names_each_route_and_its_requirement",
        "test_the_note_is_answered_and_described",
        "test_the_page_has_every_filter",
    }
