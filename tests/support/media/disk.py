"""A file system whose room is as a test says, whatever the machine's is."""

import os
from types import SimpleNamespace

import pytest

GIB = 1_073_741_824


class Disk:
    """What the system says of every file system from now on."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, *, free: int, size: int = 100 * GIB
    ) -> None:
        self.free = free
        self.size = size
        self.looks = 0
        monkeypatch.setattr(os, "statvfs", self._stat)

    def _stat(self, _: object) -> SimpleNamespace:
        self.looks += 1
        return SimpleNamespace(f_frsize=1, f_bavail=self.free, f_blocks=self.size)
