import tarfile
from pathlib import Path

from deploy.packaging.release.deploy_archive import write_deploy_archive


def make_tree(root: Path, mode: int) -> Path:
    for name in (
        "LICENSE",
        "deploy/compose.yaml",
        "deploy/kubernetes/base/gateway.yaml",
        "deploy/packaging/Containerfile",
        "deploy/packaging/install.py",
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"{name}\n")
        (root / name).chmod(mode)
    return root


def test_the_archive_has_what_operators_start_from(tmp_path: Path) -> None:
    root = make_tree(tmp_path / "root", 0o600)

    written = write_deploy_archive(root, tmp_path, "headrace-deploy-1.2.3", 60)

    with tarfile.open(written) as archive:
        members = {member.name: (member.mode, member.mtime) for member in archive}
    assert members == {
        f"headrace-deploy-1.2.3/{name}": (0o644, 60)
        for name in (
            "LICENSE",
            "compose.yaml",
            "kubernetes/base/gateway.yaml",
            "packaging/Containerfile",
        )
    }


def test_the_bytes_are_the_same_in_another_place(tmp_path: Path) -> None:
    archives = []
    for name, mode in (("one", 0o600), ("another", 0o664)):
        root = make_tree(tmp_path / name, mode)
        archives.append(write_deploy_archive(root, tmp_path / name, "a", 60).read_bytes())

    assert archives[0] == archives[1]
