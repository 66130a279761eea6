"""Process-wide settings, checked in a child process."""

import subprocess
import sys

PROGRAM = """
import gc, sys
from engine.process import setup
setup.set_up()
print(round(sys.getswitchinterval() * 1000, 3), gc.get_threshold()[0], gc.get_freeze_count() > 0)
"""


def test_threads_give_the_event_loop_its_turn_ten_times_as_often_as_the_interpreter_does() -> None:
    made = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)

    assert made.stdout.split() == ["0.5", "50000", "True"]
