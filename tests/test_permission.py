"""Who may train and open paths of the server: who sits at it, or came by the link that its start printed."""

from __future__ import annotations

import http.client
import os
import re
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from browsing import PATIENCE, PROBE, answers, free_port, needs_chromium, wait_until

from app.link import permission
from app.link.permission import Visit, allowed, local
from app.trainings import processes
from dista.cli import serve
from dista.runs import background

ROOT = Path(__file__).parent.parent


def page(host="localhost:8501", origin=None, **more):
    """The headers of a browser that shows a page of ``host``."""
    return {"Host": host, "Origin": f"http://{origin or host}", **more}


@pytest.mark.parametrize(
    ("address", "peer", "headers", "expected"),
    [
        ("localhost", "127.0.0.1", page(), True),
        ("127.0.0.1", "127.0.0.1", page("127.0.0.1:8501"), True),
        ("::1", "::1", page("[::1]:8501"), True),
        ("::1", "::1", page("[::ffff:127.0.0.1]:8501"), True),
        ("localhost", "::ffff:127.0.0.1", page("LOCALHOST."), True),
        ("127.0.0.2", "127.0.0.2", page("127.0.0.2:80"), True),
        # others reach it, too, and can write any header
        (None, "127.0.0.1", page(), False),
        ("0.0.0.0", "127.0.0.1", page(), False),
        ("0.0.0.0", "192.0.2.7", page(), False),
        ("::", "::1", page(), False),
        # relays: a peer from elsewhere, its own word, the name or the page that it was called by
        ("localhost", "192.0.2.7", page(), False),
        ("localhost", "::ffff:192.0.2.7", page(), False),
        ("localhost", None, page(), False),
        ("localhost", "127.0.0.1", page(**{"X-Forwarded-For": "127.0.0.1"}), False),
        ("localhost", "127.0.0.1", page(**{"x-forwarded-proto": "https"}), False),
        ("localhost", "127.0.0.1", page(Forwarded="for=127.0.0.1"), False),
        ("localhost", "127.0.0.1", page(Via="1.1 relay"), False),
        ("localhost", "127.0.0.1", page(origin="dista.example.org"), False),
        ("localhost", "127.0.0.1", page(origin="127.0.0.1:8501"), False),
        ("localhost", "127.0.0.1", page(origin="localhost:3000"), False),
        ("localhost", "127.0.0.1", {"Host": "localhost:8501"}, False),  # Origin was dropped
        ("localhost", "127.0.0.1", page(Origin="null"), False),
        # a name that was made to point here
        ("localhost", "127.0.0.1", page("dista.example.org"), False),
        ("localhost", "127.0.0.1", page("localhost.example.org"), False),
        ("localhost", "127.0.0.1", page("localhost@example.org"), False),
        ("localhost", "127.0.0.1", page("2130706433"), False),
        ("localhost", "127.0.0.1", page("[::1"), False),
        ("localhost", "127.0.0.1", {}, False),
    ],
)
def test_only_who_sits_at_the_server_may(address, peer, headers, expected):
    visit = Visit(address, peer, headers)
    assert allowed(None, visit) is expected
    assert allowed("yes", visit) is expected, "only 0 and 1 are answers"
    assert allowed("1", visit) and not allowed("0", visit)
    assert allowed(None, visit, by_link=True) and not allowed("0", visit, by_link=True)


@pytest.mark.parametrize("name", ["", None, "0.0.0.0", "::", "localhost.evil", "127.0.0.1.evil"])
def test_other_names_are_not_this_machine(name):
    assert not local(name)


def test_nothing_is_started_for_somebody_from_nowhere(page_of, tmp_path, monkeypatch):
    """Neither by a button, of which there is none, nor by who calls the function all the same."""
    monkeypatch.setattr(background, "_spawn", lambda *_: pytest.fail("a process was started"))
    test = page_of("train")
    assert not test.exception and permission.NO_TRAINING in test.caption[0].value
    labels = {button.label for button in test.button}
    assert not labels & {"Start training", "Stop", "Continue"}
    assert not [one for one in test.selectbox if one.label == "Data"]
    for start in (
        lambda: processes.start(tmp_path, {"preset": "digits"}),
        lambda: processes.go_on(tmp_path),
    ):
        with pytest.raises(permission.NotAllowed, match="DISTA_ALLOW_TRAINING=1"):
            start()


@pytest.fixture
def page_of(page, monkeypatch):
    monkeypatch.delenv(permission.TRAINING)
    return page


@pytest.mark.parametrize("token, there", [("right", True), ("wrong", False), ("", False)])
def test_the_token_of_the_link_gives_the_right_and_leaves_the_address(
    page_of, monkeypatch, token, there
):
    from dashboard import APP
    from streamlit.testing.v1 import AppTest

    monkeypatch.setenv(permission.TOKEN, "right")
    test = AppTest.from_file(APP / "dashboard.py", default_timeout=60)
    test.query_params["token"] = token
    test.run()
    assert not test.exception and "token" not in test.query_params
    test.switch_page(str(APP / "views" / "train.py")).run()
    assert ("Continue" in {button.label for button in test.button}) is there


def test_without_a_token_none_is_right(monkeypatch):
    monkeypatch.delenv(permission.TOKEN, raising=False)
    assert (
        not permission._is_printed("")
        and not permission._is_printed(None)
        and not permission._is_printed("x")
    )
    monkeypatch.setenv(permission.TOKEN, "")
    assert not permission._is_printed("") and not permission._is_printed(None)
    assert permission.TOKEN == serve.TOKEN


def test_two_runs_of_one_second_have_two_names(tmp_path, monkeypatch):
    started = []
    monkeypatch.setenv(permission.TRAINING, "1")
    monkeypatch.setattr(background.time, "strftime", lambda _: "now")
    monkeypatch.setattr(background, "_spawn", lambda run, words, without: started.append(run.name))
    (tmp_path / "digits-now-2").mkdir()
    for _ in range(3):
        processes.start(tmp_path, {"preset": "digits"})
    assert started == ["digits-now", "digits-now-3", "digits-now-4"]


# The server ---------------------------------------------------------------------------------------


def test_by_default_it_is_for_this_machine():
    """However it is started: ``dista app`` and the configuration beside the main script say the same."""
    server = tomllib.loads((ROOT / "app/.streamlit/config.toml").read_text())["server"]
    assert server["address"] == "localhost" and server["allowedHosts"] == list(serve._LOCAL)
    options = serve.server_options("localhost", 80, (), headless=True)
    assert "--server.address=localhost" in options and "--server.headless=true" in options
    hosts = [option.partition("=")[2] for option in options if "allowedHosts" in option]
    assert hosts == server["allowedHosts"]


def test_an_open_server_answers_to_its_own_names_only():
    options = serve.server_options("0.0.0.0", 80, ["dista.example.org"], headless=True)
    hosts = [option.partition("=")[2] for option in options if "allowedHosts" in option]
    assert {"localhost", "127.0.0.1", socket.gethostname(), "dista.example.org"} <= set(hosts)
    assert "*" not in hosts and "0.0.0.0" not in hosts
    assert serve.answers_to("192.0.2.1")[3] == "192.0.2.1"
    assert serve.answers_to("127.0.0.2") == [*serve.answers_to("localhost"), "127.0.0.2"]
    assert "--logger.hideWelcomeMessage=true" not in serve.server_options("127.0.0.2", 80, (), True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--host", "192.0.2.1"], "host='192.0.2.1' is not an address of this machine"),
        (["--host", "no such name"], "host='no such name' is not an address"),
        (["--port", "0"], "port=0; expected a number from 1 to 65535"),
        (["--port", "TAKEN"], "cannot be listened on"),
    ],
)
def test_where_it_cannot_listen_is_one_line(options, said):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        words = [port if word == "TAKEN" else word for word in options]
        command = [sys.executable, "-m", "dista", "app", "--headless", *words]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert answer.returncode == 1 and said in answer.stderr and answer.stderr.count("\n") == 1


@pytest.fixture(scope="module")
def opened(assets, runs, tmp_path_factory):
    """The port of a server that is open to others, and what its start printed."""
    port = free_port()
    folder = tmp_path_factory.mktemp("folder")
    ours = {name: value for name, value in os.environ.items() if not name.startswith("DISTA_")}
    ours |= {"DISTA_ASSETS": str(assets), "DISTA_RUNS": str(runs), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "dista", "app", "--headless", f"--port={port}"]
    with (folder / "said.txt").open("wb") as said:
        process = subprocess.Popen(
            [*command, "--host=0.0.0.0"], cwd=folder, env=ours, stdout=said, stderr=said
        )
    try:
        health = f"http://127.0.0.1:{port}/_stcore/health"
        wait_until(lambda: answers(health), "the server answers")
        yield port, (folder / "said.txt").read_text()
    finally:
        process.terminate()
        process.wait(20)


def test_a_first_start_asks_for_nothing(tmp_path):
    """Streamlit asks who starts it for the first time for an email address, and ends where nobody can answer.

    It offers its skills for coding agents, too: on the terminal, and in a card over the page.
    """
    port = free_port()
    command = [sys.executable, "-m", "dista", "app", f"--port={port}"]
    own = {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "BROWSER": "true"}
    process = subprocess.Popen(
        command, cwd=tmp_path, env=os.environ | own, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        health = f"http://127.0.0.1:{port}/_stcore/health"
        wait_until(lambda: process.poll() is not None or answers(health), "the server answers")
        assert process.poll() is None, process.stdout.read()
    finally:
        process.terminate()
        said, _ = process.communicate(timeout=20)
    assert "Email" not in said and "skills" not in said
    assert f"The dashboard: http://localhost:{port}\n" in said


def handshake(port, host, origin=None) -> int:
    """The status with which the server answers to a page that wants to connect."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {
        "Host": host, "Origin": f"http://{origin or host}", "Connection": "Upgrade",
        "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }  # fmt: skip
    connection.request("GET", "/_stcore/stream", headers=headers)
    status = connection.getresponse().status
    connection.close()
    return status


def test_a_name_that_was_made_to_point_here_is_refused(opened):
    port, _ = opened
    assert handshake(port, f"127.0.0.1:{port}") == 101
    assert handshake(port, f"evil.example:{port}") == 403
    assert handshake(port, f"127.0.0.1:{port}", origin="evil.example") == 403


@needs_chromium
def test_who_comes_by_the_link_may_train_and_who_does_not_may_look(opened, browser):
    port, said = opened
    assert "open to other machines, at 0.0.0.0" in said and "Everybody can look" in said
    token = re.search(r"/\?token=([\w-]{20,})\n", said).group(1)
    pages = f"http://127.0.0.1:{port}"
    look = browser.new_context().new_page()
    look.set_default_timeout(PATIENCE)
    look.goto(f"{pages}/train")
    look.get_by_text("DISTA_ALLOW_TRAINING=1").wait_for()
    look.locator(PROBE).first.wait_for()
    train = browser.new_context().new_page()
    train.set_default_timeout(PATIENCE)
    train.goto(f"{pages}/train?token={token}")
    train.locator(PROBE).first.wait_for()
    wait_until(
        lambda: train.wait_for_timeout(50) or "token" not in train.url, "no token in the URL"
    )
    assert train.get_by_role("button", name="New run").count() == 1
    assert look.get_by_role("button", name="New run").count() == 0
    assert look.get_by_role("button", name="Continue").count() == 0
    wait_until(
        lambda: [one for one in train.context.cookies() if one["value"] == token], "the cookie"
    )
    train.reload()
    train.locator(PROBE).first.wait_for()
    assert train.get_by_role("button", name="Continue").count() == 1, "also after a reload"
