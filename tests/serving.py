"""Starts the app and finds a browser, for tests and benchmarks."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

ROOT = Path(__file__).parent.parent
STARTING = 180.0  # seconds; importing torch on a cold disk takes long
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run"]


def browser_path() -> str:
    """Where Chromium or Chrome is, as find_browser.sh tells."""
    found = subprocess.run(["sh", str(ROOT / "tests" / "find_browser.sh")], capture_output=True, text=True, check=True)
    return found.stdout.strip().splitlines()[-1]


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
    nowhere = "http://127.0.0.1:9"  # a proxy that is not there, so that no test reaches the internet
    environment = {**os.environ, "AECORE_CACHE": str(log.parent / "cache"), "http_proxy": nowhere, "https_proxy": nowhere}
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
