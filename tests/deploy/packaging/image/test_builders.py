"""Commands of builders, as buildah, docker and podman take them."""

from pathlib import Path

import pytest

from deploy.packaging.image import builders
from deploy.packaging.image.builders import Builder, BuildRequest, find_builder

REQUEST = BuildRequest(
    image="headrace:1.0.0",
    base="debian:any",
    timestamp=1_700_000_000,
    arguments={"VERSION": "1.0.0"},
    secrets={"pip.conf": Path("/settings/pip.conf")},
)


def program(folder: Path, name: str, script: str) -> None:
    """Write a program of this name."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.mark.parametrize("name", builders.NAMES)
def test_a_build_has_the_base_the_labels_and_the_secrets(name: str) -> None:
    command = Builder(name).build_command(REQUEST, Path("/clone"))

    assert command[:2] == [name, "build"]
    assert command[-1] == "/clone"
    for words in (
        ("--file", "/clone/deploy/packaging/Containerfile"),
        ("--tag", "headrace:1.0.0"),
        ("--build-arg", "BASE=debian:any"),
        ("--build-arg", "VERSION=1.0.0"),
        ("--build-arg", "SOURCE_DATE_EPOCH=1700000000"),
        ("--secret", "id=pip.conf,src=/settings/pip.conf"),
    ):
        assert words in zip(command, command[1:], strict=False)


@pytest.mark.parametrize("name", ["buildah", "podman"])
def test_files_get_one_time_and_the_health_check_stays(name: str) -> None:
    command = Builder(name).build_command(REQUEST, Path("/clone"))

    assert "1700000000" in command
    assert ("--format", "docker") in zip(command, command[1:], strict=False)
    assert "--pull=never" in command


def test_a_program_without_its_service_is_no_builder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "docker", "exit 1")
    program(tmp_path, "podman", "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path))

    found = find_builder()

    assert found is not None
    assert found.name == "podman"


def test_there_may_be_no_builder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert find_builder() is None


def test_an_image_that_no_registry_gives_is_not_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "docker", 'test "$1" = inspect')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    docker = Builder("docker")

    assert docker.has("any:1")
    assert not docker.pull("any:1")


def test_an_image_is_unpacked_from_a_container_that_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "content").mkdir()
    (tmp_path / "content" / "file").write_text("text")
    program(
        tmp_path,
        "podman",
        f'echo "$*" >> {tmp_path}/log\n'
        f"case $1 in export) tar -C {tmp_path}/content -c .;; create) echo c1;; esac",
    )
    (tmp_path / "root").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    with Builder("podman").unpacked("any:1", tmp_path / "root") as root:
        text = (root / "file").read_text()

    assert text == "text"
    assert (tmp_path / "log").read_text().splitlines() == ["create any:1", "export c1", "rm c1"]


def test_a_folder_becomes_an_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "base").mkdir()
    program(tmp_path, "docker", f'tar -t > {tmp_path}/listed; echo "$*" > {tmp_path}/log')
    program(tmp_path, "buildah", f'echo "$*" >> {tmp_path}/log; echo c1')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    Builder("docker").import_folder(tmp_path / "base", "own:1")
    by_docker = (tmp_path / "log").read_text()
    (tmp_path / "log").unlink()
    Builder("buildah").import_folder(tmp_path / "base", "own:1")

    assert by_docker == "import - own:1\n"
    assert (tmp_path / "listed").read_text() == "./\n"
    assert (tmp_path / "log").read_text().splitlines() == [
        "from scratch",
        f"add --quiet c1 {tmp_path}/base /",
        "commit --quiet --rm c1 own:1",
    ]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("buildah", '{"Docker": {"config": {"User": "65532"}}}'),
        ("docker", '[{"Config": {"User": "65532"}}]'),
    ],
)
def test_the_configuration_is_found_in_the_description_of_an_image(
    name: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, name, f"echo '{told}'")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    assert Builder(name).configuration("any:1") == {"User": "65532"}


def test_an_image_is_written_as_an_archive_for_docker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("buildah", "podman"):
        program(tmp_path, name, f'echo "$*" >> {tmp_path}/log')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    for name in ("buildah", "podman"):
        Builder(name).save("any:1", Path("/a.tar"))

    assert (tmp_path / "log").read_text().splitlines() == [
        "push --quiet any:1 docker-archive:/a.tar:any:1",
        "save --output /a.tar any:1",
    ]
