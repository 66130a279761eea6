"""Values shared by the examples of several types."""

from engine.errors import base

ACCOUNT_ID = "acc_dd3ef2fdf5f3ec9f7fbaba0e"
ASSET_ID = "Zr0sQm9yXk1dWc7uT2eHbL5a"
BATCH_ID = "2b6f1c0e-95d4-4a37-8d0f-6a1e3c9b7f52"
EXECUTION_ID = base.EXECUTION_ID
REQUEST_ID = "0f4e2b6c1d8a4f7e9b3c5d6e7f8a9b0c"
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
KEY_ID = "key_4c1d2f60a7b9"
TRIGGER_ID = "trg_4c1d2f60a7b9"
CREATED, STARTED, ENDED = (f"2026-03-01T09:30:0{moment}Z" for moment in ("0.000", "0.004", "0.031"))
RESULT = {"text": "Hello Ada"}
