"""Retries of batches."""

from tests.support.contract.batches import begun_batch
from tests.support.contract.installation import Caller, never
from tests.support.contract.shapes import assert_fits, sentence

ROUTES = {"POST /api/batches/{batch_id}/retry": "workflow:run"}


def test_a_batch_that_goes_on_is_not_retried(caller: Caller) -> None:
    batch_id = begun_batch(caller, caller.save(never()), [{"inputs": {}}] * 2)

    answer = caller.post(f"/api/batches/{batch_id}/retry")

    assert answer.status_code == 409
    expected = {"error": sentence, "code": "BATCH_NOT_RETRYABLE", "status": "processing"}
    assert_fits(answer.json(), {**expected, "reason": "It has not ended yet"})
