"""A database that is cut off while it answers is given up, not waited for."""

import sys
import time
from pathlib import Path

import pytest

from tests.support.hosts import servers
from tests.support.hosts.commands import missing_for_hosts
from tests.support.hosts.network import Network

pytestmark = [
    pytest.mark.slow,  # a server of its own starts
    pytest.mark.skipif(bool(missing_for_hosts()), reason=missing_for_hosts()),
]

ROOT = Path(__file__).parents[4]
READ = """
import sys
from sqlalchemy import text
from engine.history.database import connections
from engine.history.errors import HistoryUnavailable

connections.SILENT_MS = 1_000
connections.KEEPALIVE |= {"keepalives_idle": 1, "keepalives_interval": 1}
database = connections.Database(sys.argv[1])
try:
    with database.read() as connection:
        print("begun", flush=True)
        connection.execute(text("SELECT pg_sleep(60)"))
except HistoryUnavailable:
    print("given up", flush=True)
"""


def test_a_read_ends_when_the_server_is_cut_off_before_its_answer() -> None:
    with Network() as network:
        data, gateway = network.add_host("database"), network.add_host("gateway")
        servers.start_postgres(data)
        log = gateway.folder / "log"
        url = f"postgresql://headrace@database:{servers.POSTGRES_PORT}/postgres"
        argv = [sys.executable, "-c", READ, url]
        reader = gateway.start(argv, env=servers.PATH | {"PYTHONPATH": str(ROOT)}, log=log)
        while "begun" not in log.read_text():
            assert reader.poll() is None, log.read_text()
            time.sleep(0.02)
        time.sleep(0.3)  # the statement has reached the server, which acknowledged it
        data.cut()

        reader.wait(30)
        assert log.read_text().split() == ["begun", "given", "up"]
