"""The document of the editor against a model: random edits, undos, redos and merges."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.bundles import open_functions
from tests.support.e2e.drafts import create, draft, expect_saved
from tests.support.e2e.editor import cards, open_editor

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow
ENTRY = Path(__file__).parent / "random_edits" / "random_edits.ts"
EDITS = 10_000
ROUNDS = 2_000
ACTIONS = 200


@pytest.fixture(scope="module")
def functions(chromium: "Browser", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """An empty page with the functions of the document and their test as `model`."""
    page = open_functions(chromium, ENTRY, "model", tmp_path_factory.mktemp("model"))
    yield page
    page.close()


@pytest.mark.parametrize("seed", [1, 2])
def test_random_edits_undo_and_redo_give_the_model(functions: Page, seed: int) -> None:
    undone = functions.evaluate(f"model.editAtRandom({seed}, {EDITS // 2})")

    assert undone > EDITS // 20


def test_merges_give_the_model_and_lose_nothing(functions: Page) -> None:
    found = functions.evaluate(f"model.mergeAtRandom(3, {ROUNDS})")

    assert found["conflicts"] > ROUNDS // 20
    assert found["renamed"] > ROUNDS // 100


State = dict[str, str]


class Model:
    """Texts of text boxes by id, with the states that undo and redo lead to."""

    def __init__(self) -> None:
        self.states: list[State] = [{"text": "Hello {{ name }}!"}]
        self.place = 0

    @property
    def present(self) -> State:
        """Return the texts."""
        return self.states[self.place]

    def step(self, state: State) -> None:
        """Go on to another state."""
        self.states = [*self.states[: self.place + 1], state]
        self.place += 1

    def travel(self, way: int) -> None:
        """Undo with -1, redo with 1."""
        self.place = min(max(self.place + way, 0), len(self.states) - 1)

    def free_id(self) -> str:
        """Return the id of the next text box."""
        names = ["textBox", *(f"textBox-{number}" for number in range(2, ACTIONS + 3))]
        return next(each for each in names if each not in self.present)


def test_random_actions_of_a_person_give_the_model(page: Page, stack: RunningStack) -> None:
    slug = create(stack, "At random")
    open_editor(page, slug)
    dice, model = random.Random(4), Model()
    undo = page.get_by_role("button", name="Undo", exact=True)
    redo = page.get_by_role("button", name="Redo", exact=True)
    box = page.get_by_role("complementary").get_by_role("button", name="Text Box", exact=True)
    field = page.get_by_role("region", name="Settings").get_by_label("Text", exact=True)

    for number in range(ACTIONS):
        match dice.choice(["add", "write", "undo", "undo", "redo"]):
            case "add":
                name = model.free_id()
                model.step({**model.present, name: ""})
                box.click()
                if dice.random() < 0.7:
                    model.step({**model.present, name: f"text {number}"})
                    field.fill(f"text {number}")
            case "undo" if model.place > 0:
                model.travel(-1)
                undo.click()
            case "redo" if model.place < len(model.states) - 1:
                model.travel(1)
                redo.click()

    expect(cards(page)).to_have_count(len(model.present) + 2)
    expect_saved(page)
    boxes = [each for each in draft(stack, slug)["nodes"] if each["type"] == "textBox"]
    assert {each["id"]: text_or_none(each) for each in boxes} == model.present


def text_or_none(node: dict[str, Any]) -> str:
    return str(node["data"].get("text", ""))
