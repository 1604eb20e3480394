"""A server and a browser for the tests that need them."""

import re
import sys
from collections.abc import Iterator

import pytest
import torch
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.serving import OPTIONS, Server, browser_path, serving

expect.set_options(timeout=45_000)  # a busy machine is slow, not wrong, and so is one with a cold disk
torch.set_num_threads(1)  # two threads on two busy cores wait for each other


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
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=browser_path(), args=OPTIONS)
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page in English of a visitor of its own; a request to any other host fails the test."""
    context = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 1000})
    context.set_default_timeout(60_000)
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
