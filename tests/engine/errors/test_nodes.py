import pickle

from engine.errors.nodes import NodeFailed, SettingsError


def test_a_failure_comes_back_whole_from_a_child_process() -> None:
    failure = NodeFailed("timeout", "No answer in time", retryable=True, retry_after=7.5)

    back = pickle.loads(pickle.dumps(failure))

    assert (back.code, back.message, back.retryable) == ("timeout", "No answer in time", True)
    assert back.retry_after == 7.5
    assert str(back) == "No answer in time"


def test_an_error_of_settings_keeps_its_reasons_apart() -> None:
    error = SettingsError("one", "two")

    assert error.reasons == ("one", "two")
    assert str(error) == "one; two"
