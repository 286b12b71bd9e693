"""Runs studies on a real GPU whose experiments end badly, and tells what the next one finds.

Everything is read from what Reprieve records, beside the processes themselves.
It repairs nothing.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
RESIDUAL_BYTES_MAX = 64 << 20

# What happens; the share of the memory that the experiment after it takes, as
# proof; and the failures that may be told of, where there is one.
SITUATIONS = {
    "allocates 80 % and exits": (["exit", "0.8"], 0.8, [None]),
    "killed while it holds 80 %": (["killed"], 0.8, ["host-memory"]),
    "leaves an orphan that holds 80 %": (["orphan", "PIDS"], 0.8, [None]),
    "out of memory by itself": (["exit", "1.5"], 0.8, ["device-memory"]),
    "out of memory because of a neighbour": (["exit", "0.8"], 0.1, ["device-memory", "device-occupied"]),
    "fault on the device": (["fault"], 0.8, ["device-program"]),
}


class Run:
    """One situation, so many times in one study on one device."""

    def __init__(self, reprieve, device, name, times, directory):
        self.name, self.times, self.directory = name, times, directory
        self.argv, self.after_share, self.failures = SITUATIONS[name]
        self.reprieve, self.device = reprieve, device
        self.environment = {**os.environ, "CUDA_VISIBLE_DEVICES": device}
        self.pids = directory / "orphans"
        self.harmed = 0

    def study(self):
        command = [sys.executable, str(HERE / "experiment.py")]
        bad = command + [str(self.pids) if part == "PIDS" else part for part in self.argv]
        after = command + ["exit", str(self.after_share)]
        text = 'name = "cleanup"\ndefaults = { grace = "1s" }\npolicy = { settings = { max_retries = 0 } }\n'
        for number in range(self.times):
            for name, argv in [(f"bad-{number}", bad), (f"after-{number}", after)]:
                text += f'[[experiments]]\nname = "{name}"\ntimeout = "10min"\nmeasure = {json.dumps(argv)}\n'
        return text

    def carry_out(self):
        self.directory.mkdir(parents=True)
        study = self.directory / "study.toml"
        study.write_text(self.study())
        neighbour = self.neighbour() if "neighbour" in self.name else None
        with open(self.directory / "output.txt", "w") as output:
            subprocess.run(
                [self.reprieve, "run", str(study), "--dir", str(self.directory / "study")],
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        if neighbour:
            self.harmed = int(neighbour.poll() is not None)
            neighbour.communicate()

    def neighbour(self):
        """Another's program on the same device, that Reprieve has not started."""
        neighbour = subprocess.Popen(
            [sys.executable, str(HERE / "experiment.py"), "neighbour", "0.6"],
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        neighbour.stdout.readline()
        return neighbour

    def attempts(self):
        """Each experiment's only attempt, in the order they ran: its record."""
        records = (self.directory / "study" / "attempts").glob("*/measure-1/record.json")
        return sorted((json.loads(path.read_text()) for path in records), key=lambda record: record["started_at"])

    def row(self):
        attempts = self.attempts()
        bad, after = attempts[0::2], attempts[1::2]
        residuals = [residual_bytes(record) for record in bad]
        waits = [driver_ms(record) for record in bad]
        hand_overs = [child_start_ms(next_) - child_end_ms(one) for one, next_ in zip(bad, after)]
        classes = [failure_class(record) for record in bad]
        return {
            "situation": self.name,
            "runs": len(bad),
            "told as": ", ".join(sorted({str(told or "ok") for told in classes})),
            "as meant": sum(told in self.failures for told in classes),
            "residual_bytes_max": max((size for size in residuals if size is not None), default=None),
            "unread": residuals.count(None),
            "hand_over_ms": spread(hand_overs),
            "driver_ms": spread(waits),
            "host_ms": spread([all_ - driver for all_, driver in zip(hand_overs, waits)]),
            "false_alarms": sum(is_alarm(record) for record in attempts),
            "next_failed": sum(failure_class(record) is not None for record in after),
            "survivors": self.survivors(),
            "foreign_harmed": self.harmed,
            "foreign_told": sum(record["attempt"].get("foreign_processes", 0) > 0 for record in bad),
        }

    def survivors(self):
        pids = self.pids.read_text().split() if self.pids.exists() else []
        return sum(pathlib.Path(f"/proc/{pid}").exists() for pid in pids)

    def missed(self, row):
        """The aims that a row misses."""
        aims = {
            "every run has happened": row["runs"] == self.times and len(self.attempts()) == 2 * self.times,
            "the failure is told as what it is": row["as meant"] == row["runs"],
            "memory is back": row["unread"] == 0 and (row["residual_bytes_max"] or 0) <= RESIDUAL_BYTES_MAX,
            "no false alarm": row["false_alarms"] == 0,
            "the next experiment succeeds": row["next_failed"] == 0,
            "nothing survives": row["survivors"] == 0,
            "no neighbour is harmed": row["foreign_harmed"] == 0,
            "a neighbour is told of": "neighbour" not in self.name or row["foreign_told"] == row["runs"],
        }
        return [aim for aim, met in aims.items() if not met]


def steps_ms(record):
    """What the cleanup steps before the attempt took: those before its end-leftovers."""
    took = 0
    for step in record["cleanup"]["steps"]:
        if isinstance(step["action"], dict) and "end-leftovers" in step["action"]:
            break
        took += step["took_ms"]
    return took


def child_start_ms(record):
    started = datetime.datetime.fromisoformat(record["started_at"].rstrip("Z")[:26])
    return started.replace(tzinfo=datetime.timezone.utc).timestamp() * 1000 + steps_ms(record)


def child_end_ms(record):
    return child_start_ms(record) + record["attempt"]["ran_for_ms"]


def driver_ms(record):
    """What was waited for the driver to give memory back."""
    steps = record["cleanup"]["steps"]
    return sum(step["took_ms"] for step in steps if "await-memory" in step["action"])


def residual_bytes(record):
    """Above the baseline, in use when the device was handed over; None where it could not be read."""
    device = record["devices"][0] if record["devices"] else {}
    reading = device.get("reading", {}).get("Ok")
    return reading and max(0, reading["memory_used_bytes"] - device["baseline_bytes"])


def failure_class(record):
    failure = record["attempt"].get("failure")
    return failure and failure["class"]


def is_alarm(record):
    """No situation here leaves a device that cannot be used."""
    failed = any("failed" in step["outcome"] for step in record["cleanup"]["steps"] if isinstance(step["outcome"], dict))
    return failed or any(device.get("quarantine") for device in record["devices"])


def spread(times_ms):
    return [round(statistics.median(times_ms)), round(max(times_ms))] if times_ms else None


def table(rows, machine, missed):
    def mebibytes(size):
        return "?" if size is None else f"{size / (1 << 20):.0f}"

    def pair(times_ms):
        return "?" if times_ms is None else f"{times_ms[0]}, {times_ms[1]}"

    columns = {
        "situation": lambda row: row["situation"],
        "runs": lambda row: row["runs"],
        "told as": lambda row: row["told as"],
        "residual, MiB": lambda row: mebibytes(row["residual_bytes_max"]),
        "hand-over, ms": lambda row: pair(row["hand_over_ms"]),
        "driver, ms": lambda row: pair(row["driver_ms"]),
        "host, ms": lambda row: pair(row["host_ms"]),
        "false alarms": lambda row: row["false_alarms"],
        "next failed": lambda row: row["next_failed"],
        "survivors": lambda row: row["survivors"],
        "foreign harmed": lambda row: row["foreign_harmed"],
    }
    lines = ["# Cleanup on a GPU", "", machine, ""]
    lines += ["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
    lines += ["| " + " | ".join(str(cell(row)) for cell in columns.values()) + " |" for row in rows]
    lines += ["", "Times: median, maximum. The residual is the largest."]
    lines += ["", "Every aim was met." if not missed else "Missed:"] + [f"- {aim}" for aim in missed]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reprieve")
    parser.add_argument("results", nargs="?", default=str(HERE / "RESULTS.md"), help="where the table goes")
    parser.add_argument("--times", type=int, default=10, help="how often each situation happens")
    arguments = parser.parse_args()
    reprieve = shutil.which(arguments.reprieve) or sys.exit(f"`{arguments.reprieve}` is no program")
    seen = json.loads(subprocess.run([reprieve, "gpu", "--json"], capture_output=True, text=True).stdout or "{}")
    if not seen.get("devices"):
        print(f"SKIPPED: there is no GPU to prove anything on ({seen.get('unavailable', 'none is found')})")
        return 0
    device, rows, missed = seen["devices"][0], [], []
    with tempfile.TemporaryDirectory(prefix="reprieve-gpu-") as directory:
        for place, name in enumerate(SITUATIONS):
            run = Run(reprieve, device["uuid"], name, arguments.times, pathlib.Path(directory) / str(place))
            run.carry_out()
            row = run.row()
            rows.append(row)
            lost = run.missed(row)
            missed += [f"{name}: {aim}" for aim in lost]
            if lost:
                print((run.directory / "output.txt").read_text())
            print(json.dumps(row), flush=True)
    versions = seen["versions"]
    machine = (
        f"{datetime.date.today()}: {device['name']}, driver {versions['driver']}, CUDA {versions['cuda']}, "
        f"Linux {platform.release()}, {platform.machine()}, {os.cpu_count()} CPUs. One study of "
        f"{arguments.times} runs for each situation, with another experiment after each run."
    )
    text = table(rows, machine, missed)
    pathlib.Path(arguments.results).write_text(text)
    print(text)
    return 1 if missed else 0


sys.exit(main())
