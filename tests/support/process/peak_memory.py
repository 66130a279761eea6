"""Peak memory of a process."""

import resource
from pathlib import Path


def peak_megabytes() -> int:
    """Return the most megabytes that this process has had at once."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1_048_576
    # The other figure begins with the size of the parent process.
    return int(status.read_text().split("VmHWM:")[1].split()[0]) // 1_024
