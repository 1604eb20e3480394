"""How the server holds a room: many sessions watch two training runs while somebody uses Home.

    python benchmarks/sessions.py [--sessions 1 10 30 60] [--seconds 12] [--json]

Speaks Streamlit's own websocket protocol. For each size of the room: time of a full rerun of Home and of a change of the
digit there (median and 95th percentile), time of a live fragment, and the share of its rate that fragments keep.
Asked for at 30 sessions: rerun of Home under 0.2 s in the median and 1 s at the 95th percentile, rate at least 80 %.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import psutil
import websockets
from machine import describe
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.serving import serving

SLOW = 60.0  # seconds after which an answer counts as lost


class Session:
    """One visitor's websocket: asks for reruns and waits for their ends, one at a time, as a browser does."""

    def __init__(self, socket: websockets.ClientConnection, page: str, query: str) -> None:
        self.socket, self.page, self.query = socket, page, query
        self.page_hash = ""
        self.fragments: dict[str, float] = {}
        self.buttons: dict[str, str] = {}
        self.run_times: list[float] = []
        self.asked: list[float] = []

    async def rerun(self, fragment: str = "", pressed: str = "") -> float:
        """Seconds from asking for a run of the page, or of one fragment, to its end; ``pressed`` names a button."""
        message = BackMsg()
        request = message.rerun_script
        request.query_string, request.page_name, request.page_script_hash = self.query, self.page, self.page_hash
        request.fragment_id, request.is_auto_rerun = fragment, bool(fragment)
        request.context_info.timezone, request.context_info.locale = "UTC", "en-US"
        if pressed:
            state = request.widget_states.widgets.add()
            state.id, state.trigger_value = self.buttons[pressed], True
        began = time.perf_counter()
        await self.socket.send(message.SerializeToString())
        async with asyncio.timeout(SLOW):
            while not await self._finished():
                pass
        return time.perf_counter() - began

    async def _finished(self) -> bool:
        message = ForwardMsg()
        received = await self.socket.recv()
        assert isinstance(received, bytes)
        message.ParseFromString(received)
        kind = message.WhichOneof("type")
        if kind == "navigation":
            self.page_hash = message.navigation.page_script_hash
        elif kind == "auto_rerun":
            self.fragments[message.auto_rerun.fragment_id] = message.auto_rerun.interval
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "delta" and message.delta.new_element.WhichOneof("type") == "button":
            self.buttons[message.delta.new_element.button.label] = message.delta.new_element.button.id
        return kind == "script_finished" and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN

    async def watch(self, until: float, late: float) -> tuple[list[float], float]:
        """Rerun the ticking fragment on its schedule; times of all runs, and the share of the schedule that was kept."""
        fragment, interval = min(self.fragments.items(), key=lambda each: each[1])
        times: list[float] = []
        await asyncio.sleep(late * interval)
        began = due = time.perf_counter()
        while time.perf_counter() < until:
            times.append(await self.rerun(fragment))
            due += interval
            behind = time.perf_counter() - due
            if behind > 0:
                due += interval * (behind // interval)  # a browser drops the ticks that it could not send
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
        return times, len(times) * interval / (time.perf_counter() - began)


@asynccontextmanager
async def session(url: str, page: str, query: str) -> AsyncIterator[Session]:
    """A connected visitor whose page has run once."""
    async with websockets.connect(f"{url}/_stcore/stream", subprotocols=["streamlit"], max_size=None) as connection:  # type: ignore[list-item]
        opened = Session(connection, page, query)
        await opened.rerun()
        yield opened


async def room(url: str, size: int, seconds: float) -> dict[str, float]:
    """Figures for ``size`` sessions on two live training pages, and one visitor on Home."""
    async with (
        session(url, "train", "lang=en&variant=convolutional&epochs=500&seed=1") as first,
        session(url, "train", "lang=en&variant=convolutional&epochs=500&seed=2") as second,
    ):
        for each in (first, second):
            await each.rerun(pressed="Train")
        await asyncio.sleep(3)
        async with asyncio.TaskGroup() as group:
            ready: list[asyncio.Future[Session]] = []
            done = asyncio.Event()

            async def visit(query: str, future: asyncio.Future[Session]) -> None:
                async with session(url, "train", query) as opened:
                    future.set_result(opened)
                    await done.wait()

            for index in range(size):
                ready.append(asyncio.get_running_loop().create_future())
                group.create_task(visit((first, second)[index % 2].query, ready[-1]))
            watching = await asyncio.gather(*ready)
            async with session(url, "", "lang=en") as home:
                for each in watching:  # the pace is chosen when a page runs, by how many look on
                    await each.rerun()
                until = time.perf_counter() + seconds
                tasks = [asyncio.create_task(each.watch(until, place / size)) for place, each in enumerate(watching)]
                reruns: list[float] = []
                while time.perf_counter() < until:
                    reruns.append(await home.rerun())
                    await asyncio.sleep(0.25)
                results = await asyncio.gather(*tasks)
            interval = statistics.median(min(each.fragments.values()) for each in watching)
            for each in (first, second):
                await each.rerun(pressed="Stop" if "Stop" in each.buttons else "Leave")
            done.set()
    fragments = [each for times, _ in results for each in times]
    return {
        "sessions": size,
        "home_median_ms": 1000 * statistics.median(reruns),
        "home_p95_ms": 1000 * percentile(reruns),
        "fragment_median_ms": 1000 * statistics.median(fragments),
        "fragment_p95_ms": 1000 * percentile(fragments),
        "interval_s": interval,
        "rate_kept": statistics.mean(kept for _, kept in results),
    }


def percentile(values: list[float], share: float = 0.95) -> float:
    """The value that ``share`` of all lie below."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def main() -> None:
    """Start a server, measure each size of room, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, nargs="+", default=[1, 10, 30, 60])
    parser.add_argument("--seconds", type=float, default=12)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    machine = describe(1)
    print("\n".join(f"{name}: {value}" for name, value in machine.items()))
    print("\nsessions   Home ms, p50/p95   fragment ms, p50/p95   every s   rate kept   server MB")
    rows = []
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "log.txt") as server:
        for size in asked.sessions:
            row = asyncio.run(room(server.url.replace("http", "ws"), size, asked.seconds))
            row["server_mb"] = psutil.Process(server.pid).memory_info().rss / 1e6
            rows.append(row)
            print(
                f"{size:8d} {row['home_median_ms']:10.0f} /{row['home_p95_ms']:5.0f} {row['fragment_median_ms']:14.0f} /{row['fragment_p95_ms']:5.0f}"
                f" {row['interval_s']:12.1f} {row['rate_kept']:10.0%} {row['server_mb']:11.0f}"
            )
    if asked.json:
        print(json.dumps({"machine": machine, "rooms": rows}))


if __name__ == "__main__":
    main()
