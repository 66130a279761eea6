import resource
import subprocess
from pathlib import Path

import pytest

from tests.support.acceptance.running_stack import HEADRACE, environment
from tests.support.process import forked_command

AMOUNTS = ("0", "-5", "1.5", "1e3", "NaN", "many", "", str(2**53))


def headrace(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return forked_command.headrace(*arguments, environ=environment(**environ))


def test_help_is_there_at_once() -> None:
    def cpu_seconds() -> float:
        # CPU time of the children alone, independent of other load of the machine.
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([*HEADRACE, "--help"], env=environment(), capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert done.returncode == 0
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(cpu_seconds() for _ in range(5)) < 0.1


@pytest.mark.parametrize(
    "command",
    [
        ("up",),
        ("gateway",),
        ("worker",),
        ("health",),
        ("env",),
        ("demo",),
        ("stub-provider",),
        ("run",),
        ("doctor",),
        ("account", "create"),
        ("account", "approve"),
        ("account", "tier"),
        ("account", "role"),
        ("session", "list"),
        ("session", "end"),
        ("audit",),
        ("account", "credit"),
        ("account", "list"),
        ("key", "create"),
        ("key", "list"),
        ("key", "revoke"),
        ("login-link",),
        ("workflow", "push"),
        ("workflow", "list"),
        ("workflow", "get"),
        ("workflow", "delete"),
        ("execution", "list"),
        ("execution", "show"),
        ("execution", "cancel"),
        ("execution", "retry"),
        ("execution", "watch"),
        ("model", "list"),
        ("ledger", "check"),
        ("ledger", "show"),
    ],
)
def test_every_command_explains_itself(command: tuple[str, ...]) -> None:
    done = headrace(*command, "--help")

    assert done.returncode == 0
    assert done.stdout.startswith("Usage: ")


@pytest.mark.parametrize(
    "arguments",
    [
        ("no-such-command",),
        ("up", "--port", "many"),
        ("account", "create", "--email", "a@b", "--tier", "golden"),
        *(("account", "credit", "acc_1", amount) for amount in AMOUNTS),
        *(
            ("account", "create", "--email", "a@b", "--tier", "pro", f"--credits={amount}")
            for amount in AMOUNTS
        ),
        ("account", "credit", "acc_1", "1", "--expires", "soon"),
        ("account", "credit", "acc_1", "1", "--expires", "2027-02-30"),
        ("ledger", "show", "acc_1", "--limit", "0"),
        ("audit", "--limit", "0"),
        ("account", "role", "acc_1", "root"),
        ("key", "create", "--account", "acc_1"),
        ("key", "create", "--account", "acc_1", "--preset", "x", "--capability", "workflow:run"),
        ("run", "slug", "--key", "k", "--account", "acc_1"),
        ("run", "slug", "--async", "--watch"),
        ("execution", "list", "--status", "over"),
        ("execution", "show", "e", "--key", "k", "--account", "acc_1"),
        ("workflow", "get", "slug", "--key", "k", "--account", "acc_1"),
    ],
)
def test_a_wrong_usage_exits_with_2(arguments: tuple[str, ...]) -> None:
    done = headrace(*arguments)

    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("account", "list"),
        ("account", "credit", "acc_1", "5"),
        ("ledger", "check"),
        ("ledger", "show", "acc_1"),
        ("key", "list"),
        ("key", "revoke", "key_1"),
        ("workflow", "list"),
        ("run", "greeting-letter"),
        ("workflow", "get", "greeting-letter"),
        ("execution", "list"),
        ("execution", "show", "e", "--account", "acc_1"),
    ],
)
def test_without_a_stack_a_command_says_so_in_one_sentence(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    done = headrace(*arguments, "--data-dir", str(tmp_path))

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("headrace: No stack runs on ")
    assert done.stderr.count("\n") == 1


def test_the_data_directory_is_named_by_the_environment_unless_an_option_does(
    tmp_path: Path,
) -> None:
    named, other = str(tmp_path / "named"), str(tmp_path / "other")

    by_environment = headrace("account", "list", HEADRACE_DATA_DIR=named)
    by_option = headrace("account", "list", "--data-dir", other, HEADRACE_DATA_DIR=named)

    assert by_environment.stderr.startswith(f"headrace: No stack runs on {named}:")
    assert by_option.stderr.startswith(f"headrace: No stack runs on {other}:")


def test_a_redis_that_does_not_answer_is_one_sentence(tmp_path: Path) -> None:
    silent = f"unix://{tmp_path}/nobody.sock"

    done = headrace("account", "list", HEADRACE_REDIS_URL=silent)

    assert done.returncode == 1
    assert done.stderr == (
        "headrace: The Redis of HEADRACE_REDIS_URL does not answer. No server listens there.\n"
    )


def test_a_login_link_needs_to_know_where_the_gateways_are(tmp_path: Path) -> None:
    arguments = ("login-link", "--account", "acc_1", "--data-dir", str(tmp_path))

    done = headrace(*arguments, HEADRACE_REDIS_URL=f"unix://{tmp_path}/nobody.sock")

    assert (done.returncode, done.stdout) == (1, "")
    assert "set HEADRACE_PUBLIC_URL" in done.stderr


def test_a_setting_that_does_not_parse_is_named(tmp_path: Path) -> None:
    done = headrace("up", "--data-dir", str(tmp_path), HEADRACE_PORT="many")

    assert done.returncode == 1
    assert done.stderr.startswith("headrace: HEADRACE_PORT: 'many'")


def test_the_doctor_goes_on_without_a_stack(tmp_path: Path) -> None:
    done = headrace("doctor", "--data-dir", str(tmp_path))

    assert done.returncode == 1
    assert "WRONG  redis: No stack runs on" in done.stdout
    assert "file descriptors" in done.stdout
