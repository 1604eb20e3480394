"""What a visitor waits for: the first picture, a dragged bar, Stop.

    python benchmarks/page.py [--repeats 7] [--json]

Starts a server and a headless Chromium, and times in the page itself: from opening Home on a warm server to the digit
drawn again; from a key on a bar of the code to the new picture; from pressing Stop to the word that the run has stopped.
Asked for: 2 s, and 1 s for Stop, in the median.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from machine import describe
from playwright.sync_api import Page, expect, sync_playwright

from tests.serving import OPTIONS, browser_path, serving

# Resolves with the milliseconds from now until the canvas with the output changes.
CHANGED = """() => new Promise((done) => {
  const canvas = document.querySelector('.picture.output') ?? [...document.querySelectorAll('*')].map((e) => e.shadowRoot?.querySelector('.picture.output')).find(Boolean);
  const before = canvas.toDataURL(), began = performance.now();
  const look = () => canvas.toDataURL() === before ? requestAnimationFrame(look) : done(performance.now() - began);
  window.startLooking = look; look();
})"""


def first_picture(page: Page, url: str) -> float:
    """Seconds from opening Home to a digit drawn again."""
    began = time.perf_counter()
    page.goto(f"{url}/?lang=en")
    expect(page.locator(".score")).to_contain_text("Read back from")
    return time.perf_counter() - began


def dragged_bar(page: Page, index: int) -> float:
    """Seconds from moving a bar of the code to the picture that it makes."""
    page.locator(".bar").nth(index).focus()
    page.wait_for_timeout(300)
    waiting = page.evaluate_handle(f"() => {{ window.answer = ({CHANGED})(); }}")
    page.keyboard.press("PageUp")
    seconds = page.evaluate("() => window.answer") / 1000
    waiting.dispose()
    return seconds


def stop(page: Page, url: str, seed: int) -> float:
    """Seconds from pressing Stop to the word that the run has stopped."""
    page.goto(f"{url}/train?lang=en&epochs=500&seed={seed}")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_text("pictures/s on")).to_be_visible()
    page.wait_for_timeout(700 + 90 * seed)  # a different moment between two ticks each time
    began = time.perf_counter()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped. What was learnt is kept.")).to_be_visible()
    return time.perf_counter() - began


def main() -> None:
    """Measure each several times and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    machine = describe(0)
    print("\n".join(f"{name}: {value}" for name, value in machine.items()), end="\n\n")
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "log.txt") as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=OPTIONS)
        page = browser.new_page(locale="en-US", viewport={"width": 1280, "height": 900})
        first_picture(page, server.url)
        times = {
            "Home to first picture": [first_picture(page, server.url) for _ in range(asked.repeats)],
            "dragged bar to picture": [dragged_bar(page, index) for index in range(asked.repeats)],
            "Stop to stopped": [stop(page, server.url, seed) for seed in range(asked.repeats)],
        }
        browser.close()
    for name, seconds in times.items():
        print(f"{name:24s} median {statistics.median(seconds):6.3f} s, worst {max(seconds):6.3f} s, of {len(seconds)}")
    if asked.json:
        print(json.dumps({"machine": machine, "seconds": times}))


if __name__ == "__main__":
    main()
