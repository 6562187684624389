"""Workers that share a PostgreSQL database, as those of several machines do.

A private server on loopback, from the programs of Debian's package; skipped where they are not.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from tests.study.tune.conftest import found_in

from acutance.study.tune.search import work

pytestmark = pytest.mark.xdist_group("postgresql")


def program(name: str) -> str:
    """The newest of a server's programs."""
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = str(places[-1]) if places else shutil.which(name)
    if found is None:
        pytest.skip(f"no {name} of PostgreSQL on this machine (apt-get install postgresql)")
    return found


def as_servant() -> list[str]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return []
    runuser = shutil.which("runuser")
    if runuser is None:
        pytest.skip("PostgreSQL does not run as root, and there is no runuser")
    return [runuser, "-u", "nobody", "--"]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The URL of an empty database."""
    pytest.importorskip("psycopg", reason="psycopg is not installed: acutance[postgresql]")
    initdb, postgres, servant = program("initdb"), program("postgres"), as_servant()
    place = Path(tempfile.mkdtemp(prefix="acutance-pg-"))
    if servant:
        shutil.chown(place, "nobody")
    data = str(place / "data")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "cwd": place}
    make = [*servant, initdb, "-D", data, "-U", "tester", "-A", "trust", "--no-sync"]
    made = subprocess.run([*make, "-E", "UTF8", "--locale=C"], timeout=120, **quiet)
    assert made.returncode == 0, made.stderr.decode()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-F"]
    start = [*servant, postgres, "-D", data, "-p", str(port), *settings]
    with (place / "server.log").open("wb") as log:
        process = subprocess.Popen(start, stdout=log, stderr=log, cwd=place)
    try:
        _wait(process, port, place / "server.log")
        yield f"postgresql+psycopg://tester@127.0.0.1:{port}/postgres"
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(place, ignore_errors=True)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    import psycopg

    for _ in range(300):
        assert process.poll() is None, log.read_text()
        try:
            psycopg.connect(
                host="127.0.0.1", port=port, user="tester", dbname="postgres", connect_timeout=2
            ).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(log.read_text())


def test_workers_at_once_make_as_many_trials_as_asked(server, worker, workshop, tmp_path):
    settings = {"tune.storage": server, "tune.trials": 6, "tune.sampler": "random"}
    crew = [worker(settings, tmp_path / "shared") for _ in range(2)]
    threads = [Thread(target=work, args=[each]) for each in crew]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    trials = crew[0].study.get_trials()
    for each in crew:
        each.study._storage._backend.engine.dispose()
    assert [(t.number, t.state.name) for t in trials] == [(k, "COMPLETE") for k in range(6)]
    assert sorted(workshop.losses) == sorted({t.user_attrs["loss"] for t in trials})


@pytest.mark.slow
def test_of_two_processes_one_is_killed_and_the_other_ends_the_search(
    server, begin, words, tmp_path
):
    more = ["--trials", "4", "--quiet", "--storage", server]
    dying = begin(words(tmp_path / "killed", *more), scoring=2)
    other = begin(words(tmp_path / "killed", *more))
    said = other.communicate(timeout=200)
    assert other.returncode == 0, said
    assert dying.wait(60) == -9
    found = found_in(tmp_path / "killed")
    assert [trial["number"] for trial in found["trials"]] == [0, 1, 2, 3]
    assert len({trial["loss"] for trial in found["trials"]}) == 4
    assert not (tmp_path / "killed" / "trials.journal").exists()


@pytest.mark.slow
def test_a_killed_search_ends_as_one_that_was_not(server, begin, words, undisturbed, tmp_path):
    command = words(tmp_path / "again", "--quiet", "--storage", server)
    assert begin(command, scoring=3).wait(120) == -9
    process = begin(command)
    said = process.communicate(timeout=200)
    assert process.returncode == 0, said
    assert found_in(tmp_path / "again") == found_in(undisturbed)
