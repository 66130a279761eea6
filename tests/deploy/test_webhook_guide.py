"""The receiver's guide: its code is run as it stands there, against what Headrace sends.

The JavaScript is run where there is a `node` to run it; which tests there are says so.
"""

import base64
import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.webhooks import make_secret, sign

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "webhooks.md"
ID = "0b5cfb4e-54e6-4e4c-a7f1-111111111111"
BODY = '{"event":"execution.completed","result":{"text":"Grüße"}}'.encode()
OWN = "ein eigenes Geheimnis für uns"
OTHER = "another secret that is not it"
CALL = """
const { secret, header, headers, body } = JSON.parse(require("node:fs").readFileSync(0));
const raw = Buffer.from(body, "base64");
const found = [verifyKnouds(secret, header, raw), verifyStandard(secret, headers, raw)];
console.log(JSON.stringify(found));
"""

Verify = Callable[[str, dict[str, str], bytes], list[bool]]


def code(language: str) -> str:
    [found] = re.findall(rf"```{language}\n(.*?)```", GUIDE.read_text(), re.S)
    return str(found)


def in_python(secret: str, headers: dict[str, str], body: bytes) -> list[bool]:
    names: dict[str, Any] = {}
    exec(code("python"), names)
    return [
        names["verify_knouds"](secret, headers["x-knouds-signature"], body),
        names["verify_standard"](secret, headers, body),
    ]


def in_javascript(secret: str, headers: dict[str, str], body: bytes) -> list[bool]:
    given = {
        "secret": secret,
        "header": headers["x-knouds-signature"],
        "headers": headers,
        "body": base64.b64encode(body).decode(),
    }
    done = subprocess.run(
        ["node", "-e", code("javascript") + CALL],
        input=json.dumps(given).encode(),
        capture_output=True,
        check=True,
    )
    found: list[bool] = json.loads(done.stdout)
    return found


IN_LANGUAGE: dict[str, Verify] = {"python": in_python}
if shutil.which("node"):
    IN_LANGUAGE["javascript"] = in_javascript


def sent(*secrets: str, at: float | None = None) -> dict[str, str]:
    headers = sign(secrets, ID, int(at or time.time()), BODY)
    return {name.lower(): value for name, value in headers}


@pytest.mark.parametrize("verify", IN_LANGUAGE.values(), ids=IN_LANGUAGE.keys())
def test_the_guides_code_takes_what_is_right_and_refuses_what_is_not(verify: Verify) -> None:
    made = make_secret()

    assert verify(made, sent(made), BODY) == [True, True]
    assert verify(OWN, sent(OWN), BODY) == [True, True]
    assert verify(made, sent(OWN, made), BODY) == [True, True]
    assert verify(OWN, sent(OTHER), BODY) == [False, False]
    assert verify(OWN, sent(OWN), BODY + b" ") == [False, False]
    assert verify(OWN, sent(OWN, at=time.time() - 301), BODY) == [False, False]
    assert verify(OWN, sent(OWN) | {"webhook-id": "x"}, BODY) == [True, False]


def test_the_guide_has_code_for_go_too() -> None:
    assert "func VerifyKnouds(" in code("go")
    assert "func VerifyStandard(" in code("go")
