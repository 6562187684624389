"""What a board finds and answers, and what it refuses."""

import http.client
import json
import os
import stat

import pytest
from click.testing import CliRunner
from tests.study.board.conftest import ARMS, NOW, add, event, step, write_recipe, write_samples

from acutance.cli.board import board as command
from acutance.errors import InputError
from acutance.study.board import watching
from acutance.study.board.boarding import answers
from acutance.study.board.finding import find, named_folders
from acutance.study.board.kept import Address, keep, open_server, place_of, recall
from acutance.study.board.machine import Machine, gpus_of
from acutance.study.board.site import Site
from acutance.study.board.watching import Board
from acutance.study.loopback.guard import new_token
from acutance.study.loopback.server import Answer, Loopback, Request


def board_of(*folders, clock=lambda: NOW) -> Board:
    return Board([folder.resolve() for folder in folders], clock)


def names(*folders) -> list[str]:
    return [found.name for found in find([folder.resolve() for folder in folders])[0]]


def test_a_study_is_all_of_its_runs_begun_or_not(study, clock):
    state = board_of(study, clock=clock).state()
    assert state["arms"] == list(ARMS)
    told = [(run["name"], run["state"], run["step"], run["steps"]) for run in state["runs"]]
    assert told == [
        (f"{arm}, seed {seed}", name, steps, 100)
        for seed, name, steps in ((0, "done", 100), (1, "running", 50), (2, "waiting", 0))
        for arm in ARMS
    ]


def test_what_is_left_counts_the_runs_that_wait(study, clock):
    state = board_of(study, clock=clock).state()
    running = [run["left_s"] for run in state["runs"] if run["state"] == "running"]
    assert running == pytest.approx([40.0, 40.0])  # 50 steps of 0.8 s, the last line at NOW
    assert state["left_s"] == pytest.approx((2 * 40 + 2 * 100 * 0.8) / 2, rel=0.2)


def test_an_arm_is_one_curve_with_its_seeds_in_a_band(study, clock):
    board = board_of(study, clock=clock)
    board.state()
    lines = board.curve("psnr", "step")["lines"]
    assert [(line["arm"], line["seeds"]) for line in lines] == [(arm, 2) for arm in ARMS]
    points = {point[0]: point[1:] for point in lines[0]["points"]}
    assert points[50] == [30.75, 30.5, 31.0, 2]
    assert points[90] == [30.9, 30.9, 30.9, 1]
    over_time = board.curve("psnr", "time")["lines"][0]["points"]
    assert over_time[0][0] == 8.0


def test_runs_are_found_below_a_folder_and_appear_by_themselves(tmp_path, monkeypatch):
    monkeypatch.setattr(watching, "SCAN_S", 0.0)
    add(tmp_path / "b", event("start", 0, step=0, steps=9))
    add(tmp_path / "deep" / "er" / "a", event("start", 0, step=0, steps=9))
    add(tmp_path / ".hidden", event("start", 0, step=0, steps=9))
    board = board_of(tmp_path)
    assert [run["name"] for run in board.state()["runs"]] == ["b", "deep/er/a"]
    write_recipe(tmp_path / "c")
    add(tmp_path / "c" / "first", event("start", 0, step=0, steps=9))
    found = {run["name"]: run["state"] for run in board.state()["runs"]}
    assert list(found) == ["b", "c, first stage", "c", "deep/er/a"]
    assert found["c"] == "waiting"


def test_trials_of_a_search_and_its_runs_again(tmp_path):
    (tmp_path / "tune.toml").write_text("[tune]\n")
    for place in ("trials/0000", "trials/0001", "again/0001/seed-1/run", "again/0001/seed-2/run"):
        add(tmp_path / place, event("start", 0, step=0, steps=9))
    found, _ = find([tmp_path.resolve()])
    assert [one.name for one in found] == [
        "trial 0000", "trial 0001", "trial 0001 again, seed-1", "trial 0001 again, seed-2",
    ]  # fmt: skip
    assert len({one.arm for one in found}) == 3


def test_several_folders_are_told_apart_and_none_is_shown_twice(tmp_path):
    for place in ("one/runs/a", "two/runs/a"):
        add(tmp_path / place, event("start", 0))
    first, second = tmp_path / "one" / "runs", tmp_path / "two" / "runs"
    assert names(first, second) == [f"{first.resolve()}/a", f"{second.resolve()}/a"]
    assert names(first, first / "a") == ["runs/a"]
    assert names(first / "a") == ["a"]


def test_a_study_that_is_damaged_or_lies_is_no_study(tmp_path):
    for text in ("not toml =", "[study]\nlosses = 3\nsteps = 'x'\nseeds = 'many'", "study = 1"):
        (tmp_path / "study.toml").write_text(text)
        assert names(tmp_path) == []


def test_more_runs_than_a_page_can_hold_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr("acutance.study.board.finding.MOST_RUNS", 2)
    for k in range(5):
        add(tmp_path / str(k), event("start", 0))
    assert board_of(tmp_path).state()["more"] == 3


@pytest.mark.skipif(os.name == "nt", reason="Windows makes such links for administrators alone")
def test_links_that_lead_out_are_not_followed(tmp_path, study):
    inside = tmp_path / "in"
    add(inside / "run", event("start", 0))
    (inside / "elsewhere").symlink_to(study)
    assert names(inside) == ["run"]
    (inside / "run" / "samples").symlink_to(
        study / "arms" / "l1" / "steps-100" / "seed-1" / "samples"
    )
    board = board_of(inside)
    key = board.state()["runs"][0]["id"]
    assert board.run(key)["samples"] == []
    assert ask(board, f"sample/{key}/0/50").status == 404


def ask(board: Board, address: str, method: str = "GET") -> Answer:
    path, _, query = address.partition("?")
    parts = tuple(part for part in path.split("/") if part)
    pairs = dict(pair.split("=", 1) for pair in query.split("&") if pair)
    return Site(board)(Request(method, parts, pairs))


def test_samples_are_named_by_numbers_alone(study, clock):
    board = board_of(study, clock=clock)
    key = next(run["id"] for run in board.state()["runs"] if run["name"] == "l1, seed 1")
    assert board.run(key)["samples"] == [{"name": "coffee", "steps": [10, 50]}]
    answer = ask(board, f"sample/{key}/0/50")
    assert (answer.status, answer.kind) == (200, "image/png")
    assert answer.body.startswith(b"\x89PNG")
    assert ask(board, f"run/{key}").status == 200
    for wrong in (
        f"sample/{key}/0/11", f"sample/{key}/1/50", f"sample/{key}/-1/50", f"sample/{key}/0/x",
        f"sample/{key}", "sample/000000000000/0/50", "run/000000000000", "run/..", "log.jsonl",
        f"sample/{key}/0/50/log.jsonl", "sample/coffee/0/50",
    ):  # fmt: skip
        assert ask(board, wrong).status == 404, wrong
    assert ask(board, "state", "POST").status == 405


def test_a_file_that_is_no_picture_is_not_handed_out(tmp_path):
    add(tmp_path, event("start", 0))
    place = tmp_path / "samples" / "x" / "step-00000001.png"
    place.parent.mkdir(parents=True)
    place.write_text("a secret")
    board = board_of(tmp_path)
    key = board.state()["runs"][0]["id"]
    assert ask(board, f"sample/{key}/0/1").status == 404


@pytest.mark.parametrize(
    ("headers", "token", "status"),
    [
        ({}, True, 200),
        ({}, False, 403),
        ({"Origin": "http://evil.example"}, True, 403),
        ({"Host": "evil.example"}, True, 403),
        ({"Sec-Fetch-Site": "cross-site"}, True, 403),
    ],
)
def test_who_is_refused(study, clock, serve, headers, token, status):
    server: Loopback = serve(Site(board_of(study, clock=clock)))
    for path in ("", "state", "curve?key=psnr"):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
        connection.request("GET", f"/{server.token if token else 'x'}/{path}", headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        assert answer.status == status, path
        assert status == 200 or b"psnr" not in body
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_the_page_forbids_everything_but_itself(study, clock):
    answer = ask(board_of(study, clock=clock), "")
    assert "default-src 'none'; connect-src 'self'" in answer.policy
    assert b"http://" not in answer.body.replace(b"http://www.w3.org/2000/svg", b"")
    assert b"https://" not in answer.body


def test_a_long_log_costs_a_short_answer(tmp_path, monkeypatch):
    monkeypatch.setattr(watching, "READ_S", 5.0)
    add(tmp_path, *(step(k, k / 10) for k in range(1, 1201)))
    board = board_of(tmp_path)
    board.state()
    told = board.curve("loss", "step")["lines"][0]["points"]
    assert 250 < len(told) <= 512
    assert told[-1][0] > 1190
    assert len(json.dumps(board.run(board.state()["runs"][0]["id"]))) < 30_000


def test_a_vanished_run_leaves_the_board(tmp_path, monkeypatch):
    monkeypatch.setattr(watching, "SCAN_S", 0.0)
    add(tmp_path / "a", event("start", 0))
    board = board_of(tmp_path)
    key = board.state()["runs"][0]["id"]
    (tmp_path / "a" / "log.jsonl").unlink()
    assert board.state()["runs"] == []
    assert board.run(key) is None
    (tmp_path / "a").rmdir()
    tmp_path.rmdir()
    assert board.state()["runs"] == []


def test_the_machine_is_told_of(tmp_path):
    load = Machine().load([tmp_path, tmp_path / "gone"])
    assert load["cores"] == os.cpu_count()
    assert load["disks"][0]["free"] <= load["disks"][0]["total"]
    assert len(load["disks"]) == 1
    assert 0 < load["memory"]["free"] <= load["memory"]["total"]
    assert 0 <= load["processor"] <= 1


def test_what_nvidia_smi_says_is_read():
    assert gpus_of("37, 1024, 81920, NVIDIA H100, 80 GB\n") == [
        {"name": "NVIDIA H100, 80 GB", "busy": 0.37, "used": 2**30, "total": 80 * 2**30}
    ]
    with pytest.raises(ValueError):
        gpus_of("[N/A], 1, 2, x")


def test_the_same_board_has_the_same_address_again(tmp_path, monkeypatch):
    monkeypatch.setenv("ACUTANCE_CACHE", str(tmp_path / "cache"))
    folders = [tmp_path / "a", tmp_path / "b"]

    def begin(*, port: int = 0, fresh: bool = False) -> Loopback:
        server = open_server(lambda _: Answer(b""), folders, port=port, fresh=fresh)
        servers.append(server)
        return server

    servers: list[Loopback] = []
    first = begin()
    second = begin()  # while the first is there: the same token at another port
    assert (second.token, second.port == first.port) == (first.token, False)
    for server in servers:
        server._server.server_close()
    again = begin()
    assert again.address == first.address
    again._server.server_close()
    fresh = begin(fresh=True)
    assert fresh.token != first.token
    fresh._server.server_close()
    assert recall(place_of(folders[::-1])) == Address(fresh.port, fresh.token)
    assert recall(place_of(folders[:1])) is None


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps who may read elsewhere")
def test_a_kept_address_is_its_owners_alone(tmp_path):
    place, address = tmp_path / "boards" / "x.json", Address(4000, new_token())
    keep(place, address)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert recall(place) == address
    place.chmod(0o644)  # others may have read it
    assert recall(place) is None
    for text in ("", "[]", '{"port": 0, "token": "x"}', '{"port": 4000, "token": "short"}'):
        keep(place, address)
        place.write_text(text)
        assert recall(place) is None


def test_what_is_no_folder_is_refused_in_words(tmp_path):
    with pytest.raises(InputError, match=r"nothing does not exist\. Name a run, a study"):
        named_folders([str(tmp_path / "nothing")])
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"file is no folder"):
        named_folders([str(tmp_path / "file")])


def test_a_page_that_stands_still_has_all_answers_in_it(study, clock, tmp_path):
    found = answers(board_of(study, clock=clock))
    key = next(run["id"] for run in found["state"]["runs"] if run["name"] == "l1, seed 1")
    assert found[f"sample/{key}/0/50"].startswith("data:image/png;base64,")
    assert found['["curve", "psnr", "step"]'.replace(", ", ",")]["lines"]
    target = tmp_path / "page.html"
    told = CliRunner().invoke(command, [str(study), "-o", str(target)])
    assert told.output == f"{target}\n"
    assert "connect-src 'none'" in target.read_text(encoding="utf-8")
    again = CliRunner().invoke(command, [str(study), "-o", str(target)])
    assert isinstance(again.exception, InputError)


def test_nothing_in_the_folders_is_changed(study, clock):
    def marks():
        return {
            path: (path.stat().st_mtime_ns, path.is_file() and path.read_bytes())
            for path in study.rglob("*")
        }

    before = marks()
    answers(board_of(study, clock=clock))
    assert marks() == before


def test_a_hostile_name_is_data_and_nothing_else(tmp_path):
    name = (
        "<script>alert(1)</script>" if os.name == "nt" else "</script><img src=x onerror=alert(1)>"
    )
    folder = tmp_path / name.replace("/", "∕")
    write_recipe(folder, "l1 + </script>")
    add(folder, step(1, 0))
    write_samples(folder, "a&b", (1,))
    target = tmp_path / "page.html"
    CliRunner().invoke(command, [str(tmp_path), "-o", str(target)], catch_exceptions=False)
    assert target.read_text(encoding="utf-8").count("</script>") == 2
