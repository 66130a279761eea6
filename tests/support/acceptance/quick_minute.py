"""Run a script for which time flies: where it sleeps, the windows of the rate limit end at once."""

import runpy
import sys
import time

import redis


def main(redis_url: str, windows: str, script: str) -> None:
    """The script as it stands, but for `time.sleep`."""
    with redis.Redis.from_url(redis_url) as client:
        time.sleep = lambda seconds: client.delete(windows)
        runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    main(*sys.argv[1:])
