"""Hook of hatchling: wheels, editable installs and source archives carry the built pages."""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).parent))
from build_pages import SOURCES, STATIC, build_if_changed


class PagesHook(BuildHookInterface):
    """Builds the pages before files are collected."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the pages; a failure is told, and ends nothing."""
        self.app.display_info(build_if_changed(SOURCES, STATIC))
