"""Registry: shipped models, an operator's folder, and a registry for tests."""

from decimal import Decimal
from pathlib import Path

import pytest

from engine.access.capabilities import Tier
from engine.models.folder import load
from engine.models.manifest import Category
from engine.models.pricing import Price, Unit
from engine.models.registry import (
    ModelOrigin,
    all_models,
    find_model,
    find_origin,
    use_folder,
    use_models,
    use_saved,
)
from tests.support.manifests import manifest, model

UNKNOWN_PLACE = '[openai]\nbase_url = "https://a.example/v1"\napi_key_env = "A_KEY"\nmodel = "m"\n'


def test_what_ships_has_a_text_model_with_a_price_that_says_what_it_is() -> None:
    echo = find_model("echo")

    assert echo is not None and echo in all_models()
    assert "answers with its prompt, for trying out" in echo.name
    assert (echo.category, echo.tier, echo.trial) == (Category.TEXT, Tier.FREE, None)
    assert echo.pricing == (Price(unit=Unit.CALL, usd=Decimal("0.010")),)
    assert [(field.name, field.required) for field in echo.fields] == [("prompt", True)]
    assert echo.enabled


def test_there_is_one_registry_that_is_read_once() -> None:
    assert find_model("echo") is find_model("echo")


def test_a_name_that_no_model_has_finds_none() -> None:
    assert find_model("nobody") is None


def test_a_registry_of_a_tests_own_holds_its_models_alone_and_ends_with_the_context() -> None:
    outer, inner = model("outer"), model("inner")

    with use_models([outer]):
        with use_models([inner]):
            assert all_models() == [inner]
        assert (find_model("outer"), find_model("echo")) == (outer, None)
    assert find_model("outer") is None
    assert find_model("echo") is not None


def test_an_empty_registry_has_no_models() -> None:
    with use_models([]):
        assert all_models() == []


def test_models_are_listed_by_internal_name() -> None:
    with use_models([model("b"), model("a"), model("C")]):
        assert [each.internal_name for each in all_models()] == ["C", "a", "b"]


def test_a_wrong_manifest_does_not_keep_the_others_of_its_folder_from_loading(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.toml").write_text(manifest("a"))
    (tmp_path / "b.toml").write_text(manifest("b", tier="gold"))
    (tmp_path / "c.toml").write_bytes(b"\xff")
    (tmp_path / "d.toml").mkdir()
    (tmp_path / "e.toml").write_text(manifest("a"))
    (tmp_path / "notes.txt").write_text("no manifest")
    (tmp_path / "z.toml").write_text(manifest("z"))

    loaded = load(tmp_path)

    assert [each.internal_name for each in loaded.models] == ["a", "z"]
    assert [str(error).removeprefix(f"{tmp_path}/") for error in loaded.errors] == [
        "b.toml:4: tier must be one of free, creator, pro, business, enterprise",
        "c.toml: is not UTF-8",
        "d.toml: Is a directory",
        "e.toml: internalName 'a' is taken by a.toml",
    ]


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        load(tmp_path / "nowhere")


def test_a_model_has_the_origin_of_the_manifest_that_counts(tmp_path: Path) -> None:
    (tmp_path / "echo.toml").write_text(manifest("echo"))
    (tmp_path / "own.toml").write_text(manifest("own"))
    try:
        before = find_origin("echo")
        use_folder(str(tmp_path))
        in_folder = [find_origin(name) for name in ("echo", "own", "gpt")]
        use_saved([model("own")])
        saved = find_origin("own")
        use_saved([model("own", call=UNKNOWN_PLACE)])
        left_out = find_origin("own")
    finally:
        use_saved(())
        use_folder("")

    assert before is ModelOrigin.SHIPPED
    assert in_folder == [ModelOrigin.FOLDER, ModelOrigin.FOLDER, ModelOrigin.SHIPPED]
    assert (saved, left_out) == (ModelOrigin.SAVED, ModelOrigin.FOLDER)
