"""The base: Debian's image where it can be had, else one made here."""

from pathlib import Path

import pytest

from deploy.packaging.image import base
from deploy.packaging.image.base import OFFICIAL, OWN, NoBase, find_base, sources_of
from deploy.packaging.image.builders import Builder


class FakeBuilder(Builder):
    """A builder with some images, and a registry with others."""

    def __init__(self, *here: str, registry: str = "") -> None:
        super().__init__("buildah")
        self.here = {*here}
        self._registry = registry

    def has(self, image: str) -> bool:
        return image in self.here

    def pull(self, image: str) -> bool:
        return image == self._registry

    def import_folder(self, folder: Path, image: str) -> None:
        self.here.add(image)


def test_an_image_that_is_here_is_taken(tmp_path: Path) -> None:
    assert find_base(FakeBuilder(OFFICIAL, OWN), tmp_path) == OFFICIAL
    assert find_base(FakeBuilder(OWN), tmp_path) == OWN


def test_a_registry_is_asked_for_the_official_image(tmp_path: Path) -> None:
    assert find_base(FakeBuilder(registry=OFFICIAL), tmp_path) == OFFICIAL


def test_a_base_of_an_earlier_build_is_used_again(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").write_text("ID=debian\n")
    builder = FakeBuilder()

    assert find_base(builder, tmp_path) == OWN
    assert builder.here == {OWN}


def test_others_than_root_are_told_to_fetch_the_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base.os, "geteuid", lambda: 1000)

    with pytest.raises(NoBase, match=f"as root, or fetch {OFFICIAL}"):
        find_base(FakeBuilder(), tmp_path)


def test_a_half_made_base_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "debootstrap").write_text('#!/bin/sh\nmkdir "$3"\nexit 1\n')
    (tools / "debootstrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    monkeypatch.setattr(base.os, "geteuid", lambda: 0)
    monkeypatch.setattr(base, "machine_sources", lambda: [("http://mirror.test/debian", "trixie")])

    with pytest.raises(NoBase, match="debootstrap has failed"):
        find_base(FakeBuilder(), tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_the_base_has_the_mirrors_of_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "debootstrap").write_text(
        '#!/bin/sh\nmkdir -p "$3/etc/apt"\necho "$4" > "$3/mirror"\n'
    )
    (tools / "debootstrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    monkeypatch.setattr(base.os, "geteuid", lambda: 0)
    mirrors = [("http://a.test/debian", "trixie"), ("http://a.test/security", "trixie-security")]
    monkeypatch.setattr(base, "machine_sources", lambda: mirrors)

    assert find_base(FakeBuilder(), tmp_path / "cache") == OWN

    assert (tmp_path / "cache/mirror").read_text() == "http://a.test/debian\n"
    assert (tmp_path / "cache/etc/apt/sources.list").read_text() == (
        "deb http://a.test/debian trixie main\ndeb http://a.test/security trixie-security main\n"
    )


def test_mirrors_are_those_of_the_release_alone() -> None:
    told = [
        "http://a.test/debian/ trixie main Packages",
        "http://a.test/debian/ trixie main Translations",
        "http://a.test/debian/ trixie contrib Packages",
        "http://a.test/debian/ bookworm main Packages",
        "file:/folder/ ./ $(COMPONENT) Packages",
        "https://b.test/security trixie-security main Packages",
        "",
    ]

    assert sources_of(told) == [
        ("http://a.test/debian", "trixie"),
        ("https://b.test/security", "trixie-security"),
    ]
