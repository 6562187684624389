"""Who is refused by a server of pages on this machine."""

import http.client
import os
import threading
from collections.abc import Iterator

import pytest

from acutance.errors import InputError
from acutance.study.loopback.guard import parts_of
from acutance.study.loopback.server import Answer, Loopback, Request


def echo(request: Request) -> Answer:
    if request.parts == ("wrong",):
        raise InputError("This is wrong.")
    if request.parts == ("broken",):
        raise KeyError("of ours")
    return Answer(repr((request.method, request.parts, dict(request.query))).encode())


@pytest.fixture(scope="module")
def server() -> Iterator[Loopback]:
    made = Loopback(echo)
    thread = threading.Thread(target=made.run)
    thread.start()
    yield made
    made.stop()
    thread.join(5)
    assert not thread.is_alive()


def ask(server, path=None, *, method="GET", body=None, **headers):
    """Status and text of an answer; `path` behind the token, headers with _ for -."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    whole = f"/{server.token}/{path}" if path is not None else headers.pop("whole")
    connection.putrequest(method, whole, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders(body)
    answer = connection.getresponse()
    found = answer.status, answer.read().decode(), answer.headers
    connection.close()
    return found


def test_whoever_knows_the_token_is_answered(server):
    status, text, headers = ask(server, "tile/0/s1?gain=2&loss=80%25+l1")
    assert status == 200
    assert text == "('GET', ('tile', '0', 's1'), {'gain': '2', 'loss': '80% l1'})"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Access-Control-Allow-Origin"] is None


def test_localhost_is_a_name_of_this_machine(server):
    assert ask(server, "", Host=f"localhost:{server.port}")[0] == 200


@pytest.mark.parametrize("whole", ["/", "//", "/wrong/", "/wrong/info/0", "*", "/%00/"])
def test_a_missing_or_wrong_token_is_refused(server, whole):
    status, text, _ = ask(server, whole=whole)
    assert (status, text) == (403, "Missing or wrong token.")


def test_a_token_that_is_cut_short_or_escaped_is_refused(server):
    for token in (server.token[:-1], server.token + "x", "%" + server.token[1:]):
        assert ask(server, whole=f"/{token}/info/0")[0] == 403


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "[::1]:{port}", ""]
)
def test_a_foreign_host_is_refused_even_with_the_token(server, host):
    """DNS rebinding: the name of another site points here."""
    status, text, _ = ask(server, "info/0", Host=host.format(port=server.port))
    assert (status, text) == (403, "Foreign host.")


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1:{port}", ""])
def test_a_foreign_origin_is_refused_even_with_the_token(server, origin):
    for method in ("GET", "POST"):
        status, text, _ = ask(
            server, "choice", method=method, Origin=origin.format(port=server.port)
        )
        assert (status, text) == (403, "Foreign origin.")
    assert ask(server, "choice", Origin=f"http://127.0.0.1:{server.port}")[0] == 200


def test_a_page_elsewhere_may_link_here_and_load_nothing(server):
    assert ask(server, "", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors")[0] == 403
    assert ask(server, "", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate")[0] == 200
    assert ask(server, "", Sec_Fetch_Site="same-origin", Sec_Fetch_Mode="cors")[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "../secret.png", "tile/../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd", "a%2fb", "a%5cb",
        "%252e%252e", "a%00.png", "a%0a.png", "%ff%fe", "./.", "x" * 5000,
    ],
)  # fmt: skip
def test_an_address_that_climbs_or_hides_something_is_not_found(server, path):
    assert ask(server, path)[0] == 404


def test_parts_are_decoded_once():
    assert parts_of("/token/a%20b/c%C3%A4/") == ("a b", "cä")
    assert parts_of("/token/") == ()


def test_errors_become_answers_and_the_server_lives_on(server, capsys):
    assert ask(server, "wrong")[:2] == (400, "This is wrong.")
    assert ask(server, "broken")[0] == 500
    assert "of ours" in capsys.readouterr().err
    assert ask(server, "")[0] == 200


def test_other_methods_and_large_bodies_are_refused(server):
    assert ask(server, "", method="PUT")[0] == 501
    assert ask(server, "", method="POST", Content_Length=str(2**20))[0] == 413
    assert ask(server, "", method="POST", Transfer_Encoding="chunked")[0] == 413
    assert ask(server, "", method="POST", Content_Length="-1")[0] == 413


def test_it_listens_on_loopback_alone(server):
    assert server._server.server_address[0] == "127.0.0.1"
    assert server.address.startswith("http://127.0.0.1:")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no port that times out in this way")
def test_a_port_can_be_had_again_at_once():
    """The server closed a connection first, so the system holds its port for a minute."""
    first = Loopback(echo)
    thread = threading.Thread(target=first.run)
    thread.start()
    assert ask(first, whole="/wrong/")[0] == 403
    first.stop()
    thread.join(5)
    again = Loopback(echo, port=first.port)
    assert again.port == first.port
    again._server.server_close()


def test_a_port_that_is_taken_is_refused_in_words(server):
    with pytest.raises(InputError, match=r"Port \d+ cannot be had.*--port"):
        Loopback(echo, port=server.port)


def test_two_servers_have_two_tokens(server):
    other = Loopback(echo)
    other._server.server_close()
    assert other.token != server.token
    assert len(other.token) >= 43


def test_an_answer_in_work_is_finished_before_the_server_ends():
    begun, go, ended = threading.Event(), threading.Event(), threading.Event()

    def slow(_request: Request) -> Answer:
        begun.set()
        go.wait(5)
        return Answer(b"done")

    made = Loopback(slow)
    run = threading.Thread(target=lambda: (made.run(), ended.set()))
    run.start()
    asker = threading.Thread(target=lambda: ask(made, ""))
    asker.start()
    assert begun.wait(5)
    made.stop()
    assert not ended.wait(0.2)
    go.set()
    assert ended.wait(5)
    asker.join(5)
