"""What the benchmarks compare with, in Python.

Started with a peer's name. Prints the peer's version, then for each number
that it reads the seconds that so many operations took.
"""

import os
import pathlib
import random
import sys
import tempfile
import time

# The needles and the haystack are those of `decision.rs`, which hands them in.


def serve(version, operations, clock):
    print(version, flush=True)
    operations(200)
    for line in sys.stdin:
        count = int(line)
        before = clock()
        operations(count)
        print(clock() - before, flush=True)


def tenacity_decisions(needles, text):
    """One full round of tenacity's own loop after the fifth failure, sleep left out."""
    from importlib.metadata import version

    import tenacity

    def worth_retrying(error):
        text = str(error)
        return any(needle in text for needle in needles)

    retrying = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(10),
        wait=tenacity.wait_exponential_jitter(initial=1, max=60),
        retry=tenacity.retry_if_exception(worth_retrying),
    )
    try:
        raise RuntimeError(text)
    except RuntimeError:
        failure = sys.exc_info()

    def operations(count):
        for _ in range(count):
            retrying.begin()
            state = tenacity.RetryCallState(retry_object=retrying, fn=None, args=(), kwargs={})
            state.attempt_number = 5
            state.set_exception(failure)
            assert isinstance(retrying.iter(retry_state=state), tenacity.DoSleep)
            state.prepare_for_next_attempt()

    serve(f"tenacity {version('tenacity')}", operations, time.thread_time)


def extism_calls(wasm, input_bytes):
    """A fresh instance of a compiled plugin for each call of a function that only measures its input."""
    from importlib.metadata import version

    from extism.extism import CompiledPlugin, Plugin

    with open(wasm, "rb") as file:
        code = file.read()
    compiled = CompiledPlugin(code, functions=[])
    question = random.Random(1).randbytes(int(input_bytes))

    def operations(count):
        for _ in range(count):
            Plugin(compiled).call("decide", question)

    serve(f"Extism {version('extism-sys')}", operations, time.thread_time)


def hyperqueue_tasks():
    """Tasks of one job, each `true`, on a worker with one core.

    Its client asks once a second whether a job has ended, so what counts is
    from the first task's start to the last one's, as their output files tell.
    """
    from importlib.metadata import version

    from hyperqueue import Job, LocalCluster
    from hyperqueue.cluster import WorkerConfig

    folder = tempfile.mkdtemp()
    output = os.dup(1)
    os.dup2(2, 1)  # The server prints a table.
    cluster = LocalCluster(server_dir=folder, worker_config=WorkerConfig(cores=1))
    client = cluster.client()
    os.dup2(output, 1)
    taken = 0.0

    def operations(count):
        nonlocal taken
        with tempfile.TemporaryDirectory() as outputs:
            job = Job(outputs)
            for _ in range(count):
                job.program(["true"])
            client.wait_for_jobs([client.submit(job)])
            starts = [file.stat().st_mtime for file in pathlib.Path(outputs).rglob("*.stdout")]
            assert len(starts) == count
            taken += (max(starts) - min(starts)) * count / (count - 1)

    serve(f"HyperQueue {version('hyperqueue')}", operations, lambda: taken)


if __name__ == "__main__":
    peer, *arguments = sys.argv[1:]
    if peer == "tenacity":
        *needles, text = arguments
        tenacity_decisions(needles, text)
    elif peer == "extism":
        extism_calls(*arguments)
    elif peer == "hyperqueue":
        hyperqueue_tasks()
