from engine.values.ignored_names import MAX_NAME, warn_of_ignored


def test_each_unknown_name_has_a_sentence() -> None:
    warnings = warn_of_ignored("member", ["a", "b", "c"], {"b"}, "nothing takes it")

    assert warnings == (
        "The member 'a' was ignored: nothing takes it",
        "The member 'c' was ignored: nothing takes it",
    )


def test_many_names_are_counted_and_long_ones_are_cut() -> None:
    names = ["n" * 1_000, *map(str, range(12))]

    warnings = warn_of_ignored("input", names, (), "there is no field of that name")

    assert warnings[0].startswith(f"The input '{'n' * MAX_NAME}' was ignored")
    assert [len(warnings), warnings[-1]] == [11, "3 more inputs were ignored"]
