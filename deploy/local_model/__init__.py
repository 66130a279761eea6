"""The local model: its file, its server, and its part in a stack."""

from deploy.local_model.file import model_file
from deploy.local_model.installed import INSTALL, is_installed
from deploy.local_model.part import LocalModel, is_serving

__all__ = ["INSTALL", "LocalModel", "is_installed", "is_serving", "model_file"]
