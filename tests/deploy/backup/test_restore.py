"""Checks before a restore; whole restores are in tests/acceptance/commands/test_backup.py."""

import pytest

from deploy.backup.manifest import HistoryPart, Manifest
from deploy.backup.restore import check_key, check_versions
from deploy.output.problems import CommandFailed
from engine.access.sealing import Sealer
from engine.history.migrations.revisions import newest_revision
from engine.store.redis.installation import SCHEMA
from tests.deploy.backup.test_archive import manifest

OLD, NEW = "o" * 32, "n" * 32
OLD_IDS = list(Sealer.from_secret_key(OLD).installation_ids)


def history(revision: str) -> HistoryPart:
    return HistoryPart(revision=revision, database_id="d", rows={})


@pytest.mark.parametrize("key", [OLD, f"{NEW},{OLD}", f"{OLD},{NEW}"])
def test_a_key_of_the_installation_is_accepted(key: str) -> None:
    check_key(manifest(installationIds=OLD_IDS), Sealer.from_secret_key(key))


@pytest.mark.parametrize(
    ("key", "reason"), [("", "is missing"), (NEW, "is that of another installation")]
)
def test_another_key_or_none_is_refused(key: str, reason: str) -> None:
    with pytest.raises(CommandFailed, match=f"The key for secrets {reason}"):
        check_key(manifest(installationIds=OLD_IDS), Sealer.from_secret_key(key))


@pytest.mark.parametrize("made", [history(newest_revision()), None])
def test_a_backup_of_a_known_version_is_accepted(made: HistoryPart | None) -> None:
    known: Manifest = manifest(schemaVersion=SCHEMA)
    known.history = made
    check_versions(known)


@pytest.mark.parametrize(
    ("schema", "revision"), [(SCHEMA + 1, newest_revision()), (SCHEMA, "9999")]
)
def test_a_backup_of_a_newer_version_is_refused(schema: int, revision: str) -> None:
    newer = manifest(schemaVersion=schema)
    newer.history = history(revision)

    with pytest.raises(CommandFailed, match=r"is of a newer Headrace \(0.1.0\)"):
        check_versions(newer)
