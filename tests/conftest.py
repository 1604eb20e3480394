"""A server and a browser for the tests that need them."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).parent.parent
expect.set_options(timeout=15_000)  # a busy machine is slow, not wrong
STARTING = 90.0  # seconds; importing torch on a cold disk takes long


@dataclass(frozen=True)
class Server:
    """A running app: its address, and the number of its process."""

    url: str
    pid: int

    def alive(self) -> bool:
        """Whether it answers."""
        with urlopen(f"{self.url}/_stcore/health", timeout=5) as answer:
            return answer.read() == b"ok"


@contextmanager
def serving(log: Path) -> Iterator[Server]:
    """A fresh server on a free port; what it prints goes to ``log``."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port), "--server.headless", "true"]
    environment = {**os.environ, "AECORE_CACHE": str(log.parent / "cache")}
    with log.open("wb") as output, subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output) as process:
        server = Server(f"http://localhost:{port}", process.pid)
        try:
            for _ in range(int(STARTING * 5)):
                try:
                    if server.alive():
                        break
                except OSError:
                    assert process.poll() is None, log.read_text()
                    time.sleep(0.2)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all browser tests; it must not have logged an error by the end."""
    log = tmp_path_factory.mktemp("server") / "log.txt"
    with serving(log) as running:
        yield running
    assert "Traceback" not in log.read_text(), log.read_text()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium or Chrome, as found by find_browser.sh."""
    found = subprocess.run(["sh", str(ROOT / "tests" / "find_browser.sh")], capture_output=True, text=True, check=True)
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run"]
        running = playwright.chromium.launch(executable_path=found.stdout.strip().splitlines()[-1], args=options)
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page in English of a visitor of its own; a request to any other host fails the test."""
    context = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 1000})
    context.set_default_timeout(20_000)
    tab = context.new_page()
    strangers: list[str] = []
    tab.on("request", lambda sent: None if re.match(r"(https?|wss?)://localhost[:/]|data:|blob:", sent.url) else strangers.append(sent.url))
    yield tab
    context.close()
    assert strangers == [], "the page asked other hosts"


@pytest.fixture(scope="session", autouse=True)
def close_jobs() -> Iterator[None]:
    """Close the workers that pages run in this process may have started."""
    yield
    if "pages.ui.cache" in sys.modules:
        from pages.ui import cache

        cache.close()
