"""A fake of the local models' runtime: the same interface, made-up answers.

It runs under the runtime's name, in the process that a stack starts.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

HOLD = "hold"
"""A prompt that is answered only after `/release`."""


class _Bag:
    """An object that accepts any member."""


class CommonParams:
    def __init__(self) -> None:
        self.model: Any = _Bag()
        self.cpuparams: Any = _Bag()
        self.cpuparams_batch: Any = _Bag()


class _Listener(ThreadingHTTPServer):
    allow_reuse_port = True
    daemon_threads = True


class Server:
    def __init__(self, params: Any) -> None:
        if b"broken" in Path(params.model.path).read_bytes():
            raise RuntimeError("Failed to init server")
        assert params.reuse_port and params.model_alias == {"local-text"}
        listener = _Listener((params.hostnames[0], params.port), _Handler)
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        self.listening_address = f"http://127.0.0.1:{listener.server_port}"


class _Handler(BaseHTTPRequestHandler):
    released = threading.Event()
    busy = 0

    def do_GET(self) -> None:
        if self.path == "/release":
            self.released.set()
        self._send([{"id": 0, "is_processing": _Handler.busy > 0}])

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        prompt = asked["messages"][-1]["content"]
        _Handler.busy += 1
        if prompt == HOLD:
            self.released.wait(30)
        message = {"role": "assistant", "content": f"(fake) {prompt}"}
        self._send({"choices": [{"message": message}], "usage": {"completion_tokens": 1}})
        _Handler.busy -= 1

    def log_message(self, format: str, *args: Any) -> None:
        return

    def _send(self, value: Any) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
