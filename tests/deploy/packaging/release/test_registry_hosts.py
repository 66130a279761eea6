import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from deploy.packaging.release.registry_hosts import find_registries, names_registry

# No file of the project has such a host, this one included.
HOST = ".".join(("files", "pythonhosted", "org"))


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        (f"https://{HOST}/packages/a.whl", True),
        ("index = " + ".".join(("PyPI", "org")), True),
        ("image: " + ".".join(("registry", "k8s", "io")) + "/pause", True),
        ("image: " + ".".join(("docker", "io")) + "/valkey/valkey:9.0", True),
        ("apiVersion: networking.k8s.io/v1", False),
        ("pkg:pypi/aiohttp@3.14.5", False),
        ("happy" + ".".join(("pypi", "organ")), False),
        ("image: valkey/valkey:9.0", False),
        ("apt-get install " + ".".join(("docker", "io")), False),
    ],
)
def test_hosts_of_registries_are_told_from_other_words(text: str, is_found: bool) -> None:
    assert names_registry(text.encode()) is is_found


def test_members_of_archives_are_searched(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.whl", "w") as wheel:
        wheel.writestr("good.py", "")
        wheel.writestr("bad.py", HOST)
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("a/bad.txt")
        member.size = len(HOST)
        archive.addfile(member, io.BytesIO(HOST.encode()))
    (tmp_path / "list.json").write_text(HOST)

    found = [name for path in sorted(tmp_path.iterdir()) for name in find_registries(path)]

    assert found == ["a.tar.gz: a/bad.txt", "a.whl: bad.py", "list.json"]
