"""`python -m deploy.local_model FILE PORT DRAIN_SECONDS`: process that serves the local model."""

import sys
from pathlib import Path

from deploy.local_model.server import run

if __name__ == "__main__":
    file, port, drain_seconds = sys.argv[1:]
    sys.exit(run(Path(file), int(port), float(drain_seconds)))
