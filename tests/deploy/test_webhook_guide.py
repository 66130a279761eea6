"""The receiver's guide: its code runs as printed, against Headrace's deliveries.

The JavaScript needs `node`; the names of the tests show whether it ran.
"""

import base64
import hashlib
import hmac
import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.webhooks.signing import make_secret, sign

pytestmark = pytest.mark.A60

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "call" / "webhooks.md"
ID = "0b5cfb4e-54e6-4e4c-a7f1-111111111111"
BODY = '{"event":"execution.completed","result":{"text":"Grüße"}}'.encode()
OWN = "ein eigenes Geheimnis für uns"
OTHER = "another secret that is not it"
CALL = """
const cases = JSON.parse(require("node:fs").readFileSync(0));
const found = cases.map(({ secret, header, headers, body }) => {
  const raw = Buffer.from(body, "base64");
  return [verifyKnouds(secret, header, raw), verifyStandard(secret, headers, raw)];
});
console.log(JSON.stringify(found));
"""

Case = tuple[str, dict[str, str], bytes]
"""A secret, headers and a body."""
VerifyAll = Callable[[list[Case]], list[list[bool]]]


def code(language: str) -> str:
    [found] = re.findall(rf"```{language}\n(.*?)```", GUIDE.read_text(), re.S)
    return str(found)


def in_python(cases: list[Case]) -> list[list[bool]]:
    names: dict[str, Any] = {}
    exec(code("python"), names)
    return [
        [
            names["verify_knouds"](secret, headers["x-knouds-signature"], body),
            names["verify_standard"](secret, headers, body),
        ]
        for secret, headers, body in cases
    ]


def in_javascript(cases: list[Case]) -> list[list[bool]]:
    given = [
        {
            "secret": secret,
            "header": headers["x-knouds-signature"],
            "headers": headers,
            "body": base64.b64encode(body).decode(),
        }
        for secret, headers, body in cases
    ]
    done = subprocess.run(
        ["node", "-e", code("javascript") + CALL],
        input=json.dumps(given).encode(),
        capture_output=True,
        check=True,
    )
    found: list[list[bool]] = json.loads(done.stdout)
    return found


IN_LANGUAGE: dict[str, VerifyAll] = {"python": in_python}
if shutil.which("node"):
    IN_LANGUAGE["javascript"] = in_javascript


def sent(*secrets: str, at: float | None = None) -> dict[str, str]:
    headers = sign(secrets, ID, int(at or time.time()), BODY)
    return {name.lower(): value for name, value in headers}


@pytest.mark.parametrize("verify", IN_LANGUAGE.values(), ids=IN_LANGUAGE.keys())
def test_the_guides_code_takes_what_is_right_and_refuses_what_is_not(verify: VerifyAll) -> None:
    made = make_secret()

    assert verify([(made, sent(made), BODY)]) == [[True, True]]
    assert verify([(OWN, sent(OWN), BODY)]) == [[True, True]]
    assert verify([(made, sent(OWN, made), BODY)]) == [[True, True]]
    assert verify([(OWN, sent(OTHER), BODY)]) == [[False, False]]
    assert verify([(OWN, sent(OWN), BODY + b" ")]) == [[False, False]]
    assert verify([(OWN, sent(OWN, at=time.time() - 301), BODY)]) == [[False, False]]
    assert verify([(OWN, sent(OWN) | {"webhook-id": "x"}, BODY)]) == [[True, False]]


@pytest.mark.parametrize("verify", IN_LANGUAGE.values(), ids=IN_LANGUAGE.keys())
def test_the_guides_code_refuses_what_was_changed_on_the_way(verify: VerifyAll) -> None:
    right = sent(OWN)
    at, signature = right["webhook-timestamp"], right["x-knouds-signature"]
    later, v1 = str(int(at) + 1), signature.partition(",")[2]
    times = [later, "", "x", "²", "-1", "1e9", at + " ", "0x1", "9" * 30]
    knouds = [*(f"t={each},{v1}" for each in times), "", ",", "=", "t=", v1, f"t={at}"]
    knouds += [f"t={at},v1=", f"t={at},v0={v1[3:]}", f"t={later},t={at},{v1}", f"t={at},{v1}0"]
    knouds += [sent(OTHER)["x-knouds-signature"], signature.replace("v1=", "v1=ä")]
    standard: list[dict[str, str]] = [{"webhook-timestamp": each} for each in times]
    standard += [{"webhook-id": each} for each in (ID.upper(), f"{ID}.{at}", "", f"x.{ID}")]
    for each in ("", " ", ",", "v1,", right["webhook-signature"][3:], "v1 " + signature, "v1,ä"):
        standard.append({"webhook-signature": each})
    standard.append({"webhook-signature": sent(OTHER)["webhook-signature"]})

    ours = verify([(OWN, right | {"x-knouds-signature": header}, BODY) for header in knouds])
    theirs = verify([(OWN, right | changed, BODY) for changed in standard])

    assert [h for h, found in zip(knouds, ours, strict=True) if found != [False, True]] == []
    assert [c for c, found in zip(standard, theirs, strict=True) if found != [True, False]] == []


@pytest.mark.parametrize("verify", IN_LANGUAGE.values(), ids=IN_LANGUAGE.keys())
def test_without_a_secret_the_guides_code_takes_nothing(verify: VerifyAll) -> None:
    at = str(int(time.time()))
    ours, standard = f"{at}.".encode() + BODY, f"{ID}.{at}.".encode() + BODY
    forged = {
        "x-knouds-signature": f"t={at},v1={hmac.new(b'', ours, hashlib.sha256).hexdigest()}",
        "webhook-id": ID,
        "webhook-timestamp": at,
        "webhook-signature": "v1,"
        + base64.b64encode(hmac.new(b"", standard, hashlib.sha256).digest()).decode(),
    }

    assert verify([(secret, forged, BODY) for secret in ("", "whsec_")]) == [[False, False]] * 2


def test_the_guide_has_code_for_go_too() -> None:
    assert "func VerifyKnouds(" in code("go")
    assert "func VerifyStandard(" in code("go")
