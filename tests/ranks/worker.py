"""What runs in a rank's process: it joins the group, then calls what the test sends.

Each call gets a process group of its own (gloo, loopback) and the same random seed on every rank,
so that nothing one test leaves behind reaches the next.
"""

from __future__ import annotations

import contextlib
import faulthandler
import multiprocessing
import os
import pickle
import random
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from _pytest.config import apply_warning_filters
from torch._C._distributed_c10d import PrefixStore, Store, TCPStore

HOST = "127.0.0.1"

DUMP_SIGNAL = signal.SIGUSR1
"""Makes a rank write the stacks of its threads into its file of stacks."""

SPARE_SECONDS = 20.0
"""How long after its time a rank ends by itself, should nobody be left to end it."""


@dataclass(frozen=True)
class Post:
    """What a rank's process is told at its start."""

    rank: int
    world_size: int
    output: str
    """File that takes what the rank writes to its standard streams."""
    stacks: str
    """File that takes its stacks."""
    warning_filters: tuple[str, ...]
    """As in pytest's configuration."""
    coverage_file: str | None
    """The session's data file where it measures coverage."""
    start_method: str
    """How its loaders start workers: as the session's do, not as the rank itself was started."""
    group_timeout: float
    """Seconds after which a collective that waits raises."""


@dataclass(frozen=True)
class Call:
    """One function for a rank to call."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    timeout: float
    """Seconds the caller waits."""
    last: bool
    """Whether the process ends after it, as a script does: with exit code 1 if it raised."""


@dataclass(frozen=True)
class Answer:
    """What came of a call on one rank."""

    result: Any = None
    error: str | None = None
    """The traceback if it raised."""


def serve(post: Post, connection: Connection) -> None:
    """Be rank *post.rank* until the other end of *connection* is closed."""
    settle_in(post)
    with contextlib.ExitStack() as stack:
        if post.coverage_file is not None:
            stack.enter_context(measured(post.coverage_file))
        store = meet(post, connection)
        while (number := next_group(connection)) is not None:
            join(number, post, store)
            connection.send(number)
            answer, end = carry_out(connection.recv_bytes())
            connection.send_bytes(in_bytes(answer))
            if end is not None:
                raise end


def next_group(connection: Connection) -> int | None:
    """Return the number of the group to join, or None if there will be none."""
    try:
        number: int = connection.recv()
    except EOFError:
        return None
    return number


def join(number: int, post: Post, store: Store) -> None:
    """Leave the last group and join a new one.

    The last one is kept until now, when every rank is out of it: the connections of a rank that is
    quick would break under those that are slow.
    """
    leave()
    dist.init_process_group(
        "gloo",
        store=PrefixStore(f"group {number}", store),
        rank=post.rank,
        world_size=post.world_size,
        timeout=timedelta(seconds=post.group_timeout),
    )


def leave() -> None:
    """Leave the group if there is one; ranks that wait for this one there learn that it is gone."""
    if dist.is_initialized():
        dist.destroy_process_group()


def settle_in(post: Post) -> None:
    """Make the process fit for its rank: streams, stacks, threads, warnings, environment."""
    os.setsid()  # the rank's id names its loaders' workers too
    output = os.open(post.output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    # The signal finds the file by its descriptor: it stays open as long as the process lives.
    faulthandler.register(DUMP_SIGNAL, os.open(post.stacks, os.O_WRONLY | os.O_CREAT))
    faulthandler.enable(output)
    multiprocessing.set_start_method(post.start_method, force=True)
    torch.set_num_threads(1)
    apply_warning_filters(post.warning_filters, ())
    os.environ.update(
        GLOO_SOCKET_IFNAME="lo",
        RANK=str(post.rank),
        LOCAL_RANK=str(post.rank),
        WORLD_SIZE=str(post.world_size),
        LOCAL_WORLD_SIZE=str(post.world_size),
    )


@contextlib.contextmanager
def measured(coverage_file: str) -> Iterator[None]:
    """Measure coverage in a block, into a data file of this process beside *coverage_file*."""
    import coverage

    measurement = coverage.Coverage(data_file=coverage_file, data_suffix=True)
    measurement.start()
    try:
        yield
    finally:
        measurement.stop()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a rank that ran none of the package
            measurement.save()


def meet(post: Post, connection: Connection) -> Store:
    """Return the ranks' store; rank 0 keeps it, on a port that the system picks."""
    if post.rank == 0:
        store = store_of(post, 0)
        connection.send(store.port)
        port = store.port
    else:
        port = connection.recv()
        store = store_of(post, port)
    os.environ.update(MASTER_ADDR=HOST, MASTER_PORT=str(port))
    return store


def store_of(post: Post, port: int) -> TCPStore:
    """Return this rank's end of the store."""
    return TCPStore(
        HOST,
        port,
        is_master=post.rank == 0,
        wait_for_workers=False,
        timeout=timedelta(seconds=post.group_timeout),
    )


def carry_out(request: bytes) -> tuple[Answer, SystemExit | None]:
    """Return what came of a call, and how the process is to end if it is."""
    last = True
    end = SystemExit(1)
    try:
        call: Call = pickle.loads(request)
        last = call.last
        faulthandler.dump_traceback_later(call.timeout + SPARE_SECONDS, exit=True)
        seed()
        with no_loose_ends():
            answer = Answer(call.function(*call.arguments))
        end = SystemExit(0)
    except BaseException as error:  # noqa: BLE001 - whatever it is, the test must see it
        answer = Answer(error=traceback.format_exc())
        if isinstance(error, SystemExit):
            end = error
        if not last:
            leave()
    faulthandler.cancel_dump_traceback_later()
    return answer, end if last else None


def seed() -> None:
    """Start from the same random state, whatever this process has done before."""
    torch.manual_seed(0)
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - the global state is the subject


@contextlib.contextmanager
def no_loose_ends() -> Iterator[None]:
    """Fail if an exception got lost in a block, in a thread or a finaliser, as pytest does."""
    lost: list[str] = []

    def record(args: Any) -> None:
        lost.extend(traceback.format_exception(args.exc_type, args.exc_value, args.exc_traceback))

    hooks = threading.excepthook, sys.unraisablehook
    threading.excepthook, sys.unraisablehook = record, record
    try:
        yield
    finally:
        threading.excepthook, sys.unraisablehook = hooks
    if lost:
        msg = "an exception got lost:\n" + "".join(lost)
        raise RuntimeError(msg)


def in_bytes(answer: Answer) -> bytes:
    """Return an answer as it travels; a result that cannot is an error."""
    try:
        return pickle.dumps(answer)
    except Exception:  # noqa: BLE001 - pickling runs whatever the result's class says
        return pickle.dumps(Answer(error=traceback.format_exc()))
