"""A worker: writes a numbered line every tenth of a second, and answers /health on PORT."""

import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

port = int(os.environ.get("PORT", "48103"))
stopping = threading.Event()
number = 0


class Health(BaseHTTPRequestHandler):
    def do_GET(self):
        body = f'{{"ok": true, "pid": {os.getpid()}, "line": {number}}}\n'.encode()
        self.send_response(200 if self.path == "/health" else 404)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):
        pass


signal.signal(signal.SIGTERM, lambda number, frame: stopping.set())
server = HTTPServer(("127.0.0.1", port), Health)
threading.Thread(target=server.serve_forever, daemon=True).start()

while not stopping.wait(0.1):
    number += 1
    print(f"line {number}", flush=True)
print(f"stopped after line {number}")
sys.exit(0)
