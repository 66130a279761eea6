"""The key for secrets of a stack on one machine."""

import json
import stat
from pathlib import Path

from tests.support.acceptance.running_stack import BARE, RunningStack, running, started
from tests.support.redis.clients import open_redis

URL = "https://hooks.example.com/in"
SECRET = "a secret of the owner's own"


def hooked(stack: RunningStack) -> str:
    """Create a key with a webhook from the command line; return it."""
    account = json.loads(
        stack.command(
            "account", "create", "--email", "x@example.org", "--tier", "pro", "--json"
        ).stdout
    )["id"]
    made = stack.command(
        *("key", "create", "--account", account, "--capability", "webhook:receive", "--json")
    )
    key_id: str = json.loads(made.stdout)["id"]
    saved = stack.command("key", "webhook", key_id, "--url", URL, "--secret", SECRET, "--json")
    assert (saved.returncode, saved.stderr) == (0, "")
    return key_id


def test_a_stack_makes_a_key_and_does_not_start_with_another(tmp_path: Path) -> None:
    with running(tmp_path, *BARE) as stack:
        path = stack.data_dir / "secret.key"
        key_id = hooked(stack)
        with open_redis(stack.redis_url) as client:
            [name] = client.scan_iter(f"*:webhook:*{key_id}")
            secret = client.hget(name, "secret")
        report = json.loads(stack.command("doctor", "--json").stdout)["checks"]

    path.write_text("0" * 64)
    with started(tmp_path, *BARE) as other:
        code = other.process.wait(timeout=60)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert secret is not None
    assert SECRET.encode() not in secret
    assert {
        "name": "secret key",
        "state": "ok",
        "ok": True,
        "seen": "opens what is sealed",
    } in report
    assert code == 1
    assert "holds another installation's data." in other.errors[-1]
    assert "set HEADRACE_SECRET_KEY to the key of that installation" in other.errors[-1]


def test_a_key_of_the_environment_is_the_one(tmp_path: Path) -> None:
    own = "of-the-operator-" * 3
    with running(tmp_path, *BARE, HEADRACE_SECRET_KEY=own) as stack:
        without = stack.command("doctor", "--json")
        beside = stack.command("doctor", "--json", HEADRACE_SECRET_KEY=f"{'n' * 40},{own}")
        has_file = (stack.data_dir / "secret.key").exists()

    def secret_key_check(output: str) -> list[str]:
        checks = json.loads(output)["checks"]
        return [each["seen"] for each in checks if each["name"] == "secret key"]

    assert not has_file
    assert secret_key_check(without.stdout) == ["not set"]
    assert secret_key_check(beside.stdout) == ["opens what is sealed"]
