"""Where the work is done: a cluster of processes on this machine, or one that runs elsewhere."""

import contextlib
import logging
import sys
from dataclasses import dataclass

import dask
from dask.system import CPU_COUNT
from distributed import Client, LocalCluster
from distributed.system import MEMORY_LIMIT
from distributed.utils import get_mp_context

from aecore.refusal import Refused

MOST_WORKERS = 4
LEAST_MEMORY = 3 << 29  # 1.5 GiB: torch alone takes half of it
SHARE_OF_MEMORY = 0.7  # of the machine, for all workers together
SECONDS_TO_CONNECT = 10
PRELOAD = "aecore.jobs.worker"
FORKED_FROM = [PRELOAD, "distributed.nanny", "torch._dynamo"]  # the last is what an optimiser imports when it is first used

SETTINGS = {
    "distributed.scheduler.allowed-failures": 0,  # the job layer decides what becomes of a run that lost its worker
    "distributed.scheduler.work-stealing": False,  # no task waits behind another: there is nothing to steal
    "distributed.admin.large-graph-warning-threshold": "4GB",  # pictures and checkpoints travel in the task on purpose
    "distributed.admin.low-level-log-length": 2,  # these logs keep whole messages, and ours carry models
    # Dask's own list also makes malloc give memory back at once: torch then takes new pages for each tensor, and Stop took twice as long.
    "distributed.nanny.pre-spawn-environ": {"OMP_NUM_THREADS": 1, "MKL_NUM_THREADS": 1, "OPENBLAS_NUM_THREADS": 1},
    "distributed.worker.profile.enabled": False,
    "distributed.worker.memory.target": False,  # nothing here can be spilt to disk
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,  # a paused worker never comes back while torch keeps its memory
    "distributed.diagnostics.nvml": False,
}


@dataclass(frozen=True)
class Cluster:
    """An open connection. ``threads`` is how many torch may use in a worker; 0 leaves it to the worker."""

    client: Client
    local: LocalCluster | None
    threads: int

    def close(self) -> None:
        """Disconnect, and end the cluster where it is ours. Idempotent."""
        for name in ("distributed", "tornado.application"):  # broken connections are what closing is about
            logging.getLogger(name).setLevel(logging.CRITICAL)
        with contextlib.suppress(TimeoutError, OSError):
            self.client.close(timeout=2)
        if self.local:
            with contextlib.suppress(TimeoutError, OSError):
                self.local.close(timeout=10)


def open_local(workers: int | None = None, memory: int | None = None) -> Cluster:
    """A cluster on this machine, reachable from this machine only; its workers import torch while this returns.

    ``memory`` is the limit of each worker in bytes: one that passes it is killed and replaced.
    """
    dask.config.set(SETTINGS)  # for this process: connections read it whenever they are made
    if sys.platform == "linux":  # elsewhere system libraries do not bear a fork
        _start_from_a_warm_process()
    workers = workers or max(1, min(MOST_WORKERS, CPU_COUNT))
    memory = memory or max(LEAST_MEMORY, int(SHARE_OF_MEMORY * MEMORY_LIMIT / workers))
    local = LocalCluster(
        n_workers=0,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",  # the health page; without an address Dask takes port 8787 on all interfaces
        scheduler_kwargs={"dashboard": False},
        silence_logs=logging.CRITICAL,
        memory_limit=memory,
        preload=[PRELOAD],
    )
    client = Client(local, set_as_default=False)  # before the workers: it would wait for them
    local.scale(workers)
    return Cluster(client, local, max(1, CPU_COUNT // workers))


def open_remote(address: str) -> Cluster:
    """A connection to a scheduler that runs elsewhere, with this version of aecore; Refused where none answers."""
    dask.config.set(SETTINGS)
    try:
        client = Client(address, timeout=SECONDS_TO_CONNECT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise Refused("No Dask scheduler answers at {address}.", address=address) from error
    return Cluster(client, None, 0)


def _start_from_a_warm_process() -> None:
    """Workers become forks of a process that has imported torch and computed nothing: a lost one is replaced in a second.

    They also share the memory of what is imported. If something else in this process has begun to use such a fork
    server already, workers still start, but import for themselves.
    """
    dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"})
    get_mp_context().set_forkserver_preload(FORKED_FROM)  # Dask has put its own list there in the same call
