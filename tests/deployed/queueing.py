"""A door before a function's container, which takes one event at a time where Lambda would start another."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

PATIENCE_SECONDS = 600


@contextmanager
def one_at_a_time(url: str) -> Iterator[str]:
    """An address at which events wait for their turn at `url`."""
    turn = threading.Lock()

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            event = self.rfile.read(int(self.headers["Content-Length"]))
            with turn:
                answer = httpx.post(url, content=event, timeout=PATIENCE_SECONDS)
            self.send_response(answer.status_code)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_details: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            thread.join()
