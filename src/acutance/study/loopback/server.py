"""A server on 127.0.0.1 that answers by one function; threads, keep-alive, nothing written."""

import json
import os
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from acutance.errors import InputError, RunError
from acutance.study.loopback.guard import new_token, parts_of, refusal

NOTHING = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
MOST_SENT = 2**16  # bytes of a request's body
IDLE_S = 60  # after which a connection is closed
PATIENCE_S = 30  # with answers in work when the server ends
TEXT, HTML = "text/plain; charset=utf-8", "text/html; charset=utf-8"
JSON = "application/json"


@dataclass(frozen=True)
class Request:
    """What a page of ours asks: `parts` of the address behind the token, and the rest of it."""

    method: str  # GET or POST
    parts: tuple[str, ...]
    query: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    """Bytes, what they are, and what a page made of them may load (its CSP)."""

    body: bytes
    kind: str = TEXT
    status: int = 200
    policy: str = NOTHING


NOT_FOUND = Answer(b"Not found.", status=404)
Application = Callable[[Request], Answer]


def as_json(content: object) -> Answer:
    """An answer that a page reads."""
    return Answer(json.dumps(content, allow_nan=False).encode("utf-8"), JSON)


class Loopback:
    """A server of `application` at `address`; it listens from the moment that it is made.

    `application` is called from several threads at once. InputError and RunError that it raises
    become answers with their words. `token` is one that was made before, for a page that is
    still open. Raises InputError where the port is taken.
    """

    def __init__(self, application: Application, *, port: int = 0, token: str = "") -> None:
        self.token = token or new_token()
        try:
            self._server = _Server(("127.0.0.1", port), _Handler)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise InputError(
                f"Port {port} cannot be had: {reason}. Name another by --port, or none."
            ) from error
        self._server.application = application
        self._server.token = self.token

    @property
    def port(self) -> int:
        """The one asked for, or the one that the system gave."""
        return self._server.server_address[1]

    @property
    def address(self) -> str:
        """For a browser; whoever knows it may look."""
        return f"http://127.0.0.1:{self.port}/{self.token}/"

    def run(self) -> None:
        """Answer until `stop` is called from another thread, or Ctrl-C."""
        try:
            self._server.serve_forever(poll_interval=0.2)
        except KeyboardInterrupt:
            pass  # the usual end of a server, no failure
        finally:
            self._server.server_close()
            self._server.let_finish()

    def stop(self) -> None:
        """Make `run` return."""
        self._server.shutdown()


def serve(server: Loopback, *, browse: bool) -> None:
    """Say where on stdout, and answer until Ctrl-C."""
    sys.stdout.write(server.address + "\n")
    sys.stdout.flush()
    sys.stderr.write("Open this address in a browser of this machine. Ctrl-C stops.\n")
    if browse:
        webbrowser.open(server.address)
    server.run()


def printable(text: str) -> str:
    """Text for a terminal: names of files may hold anything, and move its cursor."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # The port can be had again while connections of the last server are timing out. On Windows
    # this would let two servers share one, as ports would: each gets some of the requests.
    allow_reuse_address = os.name == "posix"
    allow_reuse_port = False
    application: Application
    token: str

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._busy, self._idle = 0, threading.Condition()

    @contextmanager
    def working(self) -> Iterator[None]:
        """While an answer is worked out."""
        with self._idle:
            self._busy += 1
        try:
            yield
        finally:
            with self._idle:
                self._busy -= 1
                self._idle.notify_all()

    def let_finish(self) -> None:
        """Wait for answers in work: a thread that dies within a library aborts the process."""
        with self._idle:
            self._idle.wait_for(lambda: self._busy == 0, timeout=PATIENCE_S)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away is no error; anything else is said in a line."""
        del request, client_address
        error = sys.exception()
        if not isinstance(error, ConnectionError | socket.timeout):
            sys.stderr.write(f"acutance: a request failed: {error!r}\n")


class _Handler(BaseHTTPRequestHandler):
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride]
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "acutance", ""
    timeout = IDLE_S

    def do_GET(self) -> None:
        self._respond("GET")

    def do_POST(self) -> None:
        self._respond("POST")

    def _respond(self, method: str) -> None:
        port, token = self.server.server_address[1], self.server.token
        if why := refusal(self.headers, self.path, port=port, token=token):  # pyright: ignore[reportArgumentType]
            self.close_connection = True  # a body may follow that nobody reads
            self._send(Answer(why.encode(), status=403))
            return
        parts = parts_of(self.path)
        body = self._body()
        if parts is None or body is None:
            self.close_connection = True
            self._send(NOT_FOUND if parts is None else Answer(b"Too much.", status=413))
            return
        query = dict(parse_qsl(self.path.partition("?")[2], errors="replace"))
        with self.server.working():
            answer = _answer(self.server.application, Request(method, parts, query, body))
        self._send(answer)

    def _body(self) -> bytes | None:
        """What was sent; None where it is too much, or its length is not said."""
        text = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not text.isdecimal() or int(text) > MOST_SENT:
            return None
        return self.rfile.read(int(text))

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in {
            "Content-Type": answer.kind,
            "Content-Length": str(len(answer.body)),
            "Content-Security-Policy": answer.policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",  # the address holds the token
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cache-Control": "no-store",
            **({"Connection": "close"} if self.close_connection else {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Addresses hold the token, so they are not written anywhere."""


def _answer(application: Application, request: Request) -> Answer:
    try:
        return application(request)
    except InputError as error:
        return Answer(str(error).encode("utf-8", "replace"), status=400)
    except RunError as error:
        return Answer(str(error).encode("utf-8", "replace"), status=500)
    except Exception as error:  # a defect of ours must not hang the page
        sys.stderr.write(f"acutance: {request.parts} failed: {error!r}\n")
        return Answer(b"This failed; the terminal says why.", status=500)
