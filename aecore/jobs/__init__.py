"""Training runs for many visitors on a Dask cluster: embedded by default, remote by address.

The web process keeps all state and the line of waiting runs; workers only train, and tell about it in events, so they
need no file system in common with it. Read ``dispatcher`` for who is served when, ``worker`` for what a worker does.
"""

import os

from aecore.jobs.dispatcher import Jobs
from aecore.jobs.orders import Order
from aecore.jobs.views import Snapshot, View

__all__ = ["Jobs", "Order", "Snapshot", "View", "connect"]


def connect() -> Jobs:
    """The job layer that the environment asks for: on the scheduler at ``AECORE_SCHEDULER``, or on a cluster started here."""
    return Jobs(os.environ.get("AECORE_SCHEDULER") or None)
