"""The page on clients without a key, block by block, with the person that it speaks to."""

import json
from pathlib import Path

from deploy.net.http_client import call
from deploy.stack.location import read_private
from tests.support.acceptance.running_stack import RunningStack
from tests.support.guides.guide_shell import ROOT, GuideShell, blocks
from tests.support.oauth.browser_flow import query_of
from tests.support.oauth.person import Person

PAGE = ROOT / "docs" / "how-to" / "mcp" / "oauth.md"
VERIFIER = "5e" * 32


def test_a_client_of_the_shell_is_granted_a_workflow(stack: RunningStack, tmp_path: Path) -> None:
    register, ask, exchange = blocks(PAGE)
    shell = GuideShell(stack, tmp_path)
    person = Person(stack, read_private(stack.data_dir / "demo.json")["accountId"])

    client = json.loads(shell.run(register))["client_id"]
    url = shell.run(ask, CLIENT_ID=client, VERIFIER=VERIFIER)
    answer = query_of(person.consent(url, ["greeting-letter"])["location"])
    token = json.loads(
        shell.run(exchange, CLIENT_ID=client, VERIFIER=VERIFIER, CODE=answer["code"])
    )["access_token"]

    path = f"{stack.url}/api/workflows/greeting-letter/run"
    status, ran = call("POST", path, key=token, body={"inputs": {"name": "Ada"}})
    assert (answer["state"], status) == ("1", 200)
    assert "Dear Ada," in str(ran["result"])
