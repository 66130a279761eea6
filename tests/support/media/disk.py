"""A file system with free space as a test sets it."""

import os
from types import SimpleNamespace

import pytest

GIB = 1_073_741_824


class Disk:
    """The system's figures of every file system from now on."""

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
