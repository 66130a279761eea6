"""Runner of a script without its waits: each sleep ends the windows of the rate limit at once."""

import runpy
import sys
import time

from tests.support.redis.clients import open_redis


def main(redis_url: str, windows: str, script: str) -> None:
    """Run the script unchanged except for `time.sleep`."""
    with open_redis(redis_url) as client:
        time.sleep = lambda seconds: client.delete(windows)
        runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    main(*sys.argv[1:])
