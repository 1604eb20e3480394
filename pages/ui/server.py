"""What the server does once, before the first visitor: load the heavy parts, start the workers, tame the garbage collector."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

MOST_UPLOAD = 256 << 20  # bytes that stay in memory while they arrive; Starlette would put parts over a megabyte into a temporary file
COLLECT_EVERY = 10.0  # seconds; collecting whenever Python or Streamlit sees fit stalls a full room


@asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[None]:
    """From the start of the server to its end. Importing torch takes seconds: here, never in a visitor's first run."""
    from starlette.formparsers import MultiPartParser

    from aecore.refusal import Refused
    from pages.ui import cache, cleaning, shelf_view, swap_stage, text_choice

    MultiPartParser.spool_max_size = MOST_UPLOAD
    try:
        await asyncio.to_thread(cache.warm_up)
    except Refused as refused:
        raise SystemExit(str(refused)) from None
    gc.collect()
    gc.freeze()
    gc.disable()
    collector = asyncio.create_task(_collect())
    pages = (shelf_view, swap_stage, text_choice)
    drawing = asyncio.gather(*(asyncio.to_thread(page.warm_up) for page in pages))
    try:
        yield
    finally:
        await drawing
        collector.cancel()
        with suppress(asyncio.CancelledError):
            await collector
        gc.enable()
        await asyncio.to_thread(cleaning.close)
        await asyncio.to_thread(cache.close)


async def _collect() -> None:
    while True:
        await asyncio.sleep(COLLECT_EVERY)
        gc.collect()
