#!/usr/bin/env python3
"""./orrery bench pgbench|load|recovery: ours beside PostgreSQL 15, interleaved, on loopback.

Each round measures one and then the other, the order changing from round to round, so that what
disturbs the machine disturbs both; the figure is the median of the rounds' ratios, and above 1 ours
is better. fsync is on, and the buffers are equal.
"""

import argparse
import pathlib
import re
import sys
import time

from lineitem import TABLE, lineitem_file
from pair import OURS, PEER, ROOT, Measured, Pair, machine, report

SCRIPTS = {"S": ["-S"], "N": ["-N"], "T": []}
SCRIPT_NAMES = {"S": "select-only", "N": "simple-update", "T": "tpcb-like"}


class Progress:
    """A line that is rewritten, on a terminal only."""

    def __init__(self, total: int) -> None:
        self.total, self.done, self.start = total, 0, time.monotonic()

    def step(self, text: str) -> None:
        if sys.stderr.isatty():
            gone = time.monotonic() - self.start
            left = gone / self.done * (self.total - self.done) if self.done else 0
            told = f"{self.done}/{self.total}  {text}  {left:.0f} s left"
            sys.stderr.write(f"\r\033[K{told}")
            sys.stderr.flush()
        self.done += 1

    def end(self) -> None:
        if sys.stderr.isatty():
            sys.stderr.write("\r\033[K")


def in_turn(round_number: int) -> list[str]:
    return [OURS, PEER] if round_number % 2 == 0 else [PEER, OURS]


def run_pgbench(pair: Pair, name: str, words: list[str], log: pathlib.Path) -> float:
    """Transactions per second of one run; it must end well."""
    done = pair.run(name, ["pgbench", *words])
    log.write_text(f"pgbench {' '.join(words)}\n{done.stdout}{done.stderr}")
    found = re.search(r"^tps = ([\d.]+)", done.stdout, re.MULTILINE)
    failed = re.search(r"number of failed transactions: (\d+)", done.stdout)
    if done.returncode or not found or (failed and int(failed[1])):
        raise SystemExit(f"orrery: pgbench failed on {name}: {done.stderr.strip()[-500:]} ({log})")
    return float(found[1])


def bench_pgbench(options: argparse.Namespace) -> None:
    pair = Pair(options, {"max_wal_size": "4GB"})
    try:
        for name in (OURS, PEER):
            words = ["-i", "-q", "-s", str(options.scale)]
            words += ["--foreign-keys"] if options.foreign_keys else []
            done = pair.run(name, ["pgbench", *words])
            (pair.out / f"init_{name}.log").write_text(done.stdout + done.stderr)
            if done.returncode:
                raise SystemExit(f"orrery: pgbench -i failed on {name}: {done.stderr[-500:]}")
            pair.psql(name, "checkpoint")
            pair.psql(name, "select sum(abalance) from pgbench_accounts")  # warm on both sides
        kinds = [
            (protocol, script, clients)
            for script in options.scripts.split(",")
            for protocol in options.protocols.split(",")
            for clients in map(int, options.clients.split(","))
        ]
        measured = {
            kind: Measured(
                f"{SCRIPT_NAMES[kind[1]]} {kind[0]} {kind[2]}", True, {OURS: [], PEER: []}
            )
            for kind in kinds
        }
        facts = machine()
        facts["pgbench"] = f"scale {options.scale}, {options.seconds} s a run"
        progress = Progress(options.rounds * len(kinds) * 2)
        for round_number in range(options.rounds):
            for kind in kinds:
                protocol, script, clients = kind
                for name in in_turn(round_number):
                    progress.step(f"{measured[kind].name} on {name}")
                    words = [*SCRIPTS[script], "-M", protocol, "-c", str(clients)]
                    words += ["-j", str(min(2, clients)), "-T", str(options.seconds)]
                    words += [f"--random-seed={round_number + 1}"]
                    log = pair.out / f"{script}_{protocol}_{clients}_{round_number}_{name}.log"
                    measured[kind].values[name].append(run_pgbench(pair, name, words, log))
        progress.end()
        report(pair, "pgbench", list(measured.values()), facts)
    finally:
        pair.stop()


def bench_load(options: argparse.Namespace) -> None:
    path = lineitem_file(options.out.resolve() / "data", options.scale_factor)
    pair = Pair(options, {"max_wal_size": "4GB", "maintenance_work_mem": "256MB"})
    copy = Measured("COPY lineitem", False, {OURS: [], PEER: []})
    key = Measured("its primary key", False, {OURS: [], PEER: []})
    try:
        facts = machine()
        facts["data"] = f"scale factor {options.scale_factor}, {path.stat().st_size >> 20} MB"
        progress = Progress(options.rounds * 2)
        counts = set()
        for round_number in range(options.rounds):
            for name in in_turn(round_number):
                progress.step(f"load on {name}")
                pair.psql(name, "drop table if exists lineitem")
                pair.psql(name, TABLE)
                pair.psql(name, "checkpoint")
                start = time.monotonic()
                with path.open("rb") as data:
                    words = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c"]
                    words.append("copy lineitem from stdin with (delimiter '|')")
                    done = pair.run(name, words, stdin=data)
                if done.returncode:
                    raise SystemExit(f"orrery: COPY failed on {name}: {done.stderr[-500:]}")
                copy.values[name].append(time.monotonic() - start)
                start = time.monotonic()
                pair.psql(name, "alter table lineitem add primary key (l_orderkey, l_linenumber)")
                key.values[name].append(time.monotonic() - start)
                counts.add(pair.psql(name, "select count(*), sum(l_quantity) from lineitem"))
        progress.end()
        if len(counts) != 1:
            raise SystemExit(f"orrery: the two do not hold the same rows: {sorted(counts)}")
        report(pair, "load", [copy, key], facts)
    finally:
        pair.stop()


def small_records(pair: Pair, name: str, options: argparse.Namespace, log: pathlib.Path) -> None:
    clients = 8
    words = ["-N", "-n", "-M", "prepared", "-c", str(clients), "-j", "2"]
    words += ["-t", str(options.transactions // clients), "--random-seed=1"]
    run_pgbench(pair, name, words, log)


def bulk_insert(pair: Pair, name: str, options: argparse.Namespace, log: pathlib.Path) -> None:
    pair.psql(name, "drop table if exists bulk")
    pair.psql(name, "create table bulk (a bigint primary key, b text)")
    pair.psql(name, "checkpoint")
    rows = options.rows
    source = f"select g, 'row number ' || g from generate_series(1, {rows}) g"
    start = time.monotonic()
    pair.psql(name, f"insert into bulk {source}")
    log.write_text(f"{rows} rows in {time.monotonic() - start:.2f} s\n")


def bench_recovery(options: argparse.Namespace) -> None:
    """The same work since a checkpoint, then kill -9: how long until a query is answered again."""
    pair = Pair(options, {"max_wal_size": "64GB", "checkpoint_timeout": "1h"})
    shapes = {"small records": small_records, "bulk insert": bulk_insert}
    measured = {s: Measured(f"recovery, {s}", False, {OURS: [], PEER: []}) for s in shapes}
    try:
        for name in (OURS, PEER):
            done = pair.run(name, ["pgbench", "-i", "-q", "-s", str(options.scale)])
            if done.returncode:
                raise SystemExit(f"orrery: pgbench -i failed on {name}: {done.stderr[-500:]}")
        facts = machine()
        facts["work"] = f"{options.transactions} transactions, {options.rows} rows"
        progress = Progress(options.rounds * len(shapes) * 2)
        for round_number in range(options.rounds):
            for shape, work in shapes.items():
                for name in in_turn(round_number):
                    progress.step(f"{shape} on {name}")
                    log = pair.out / f"{shape.replace(' ', '_')}_{round_number}_{name}.log"
                    pair.psql(name, "checkpoint")
                    work(pair, name, options, log)
                    pair.servers[name].kill()
                    measured[shape].values[name].append(pair.servers[name].start(600))
        progress.end()
        report(pair, "recovery", list(measured.values()), facts)
    finally:
        pair.stop()


def main() -> None:
    arguments = argparse.ArgumentParser(
        prog="./orrery bench", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--rounds", type=int, default=7)
    common.add_argument("--ours-cmd", default="", help="{data} {port}; or the word postgres")
    common.add_argument("--shared-buffers", default="1GB")
    common.add_argument("--scale", type=int, default=10, help="of pgbench -i")
    common.add_argument("--out", type=pathlib.Path, default=ROOT / "build" / "bench")
    verbs = arguments.add_subparsers(dest="verb", required=True)
    pgbench = verbs.add_parser("pgbench", parents=[common])
    pgbench.add_argument(
        "--scripts", default="S,N,T", help="S select-only, N simple-update, T TPC-B"
    )
    pgbench.add_argument("--protocols", default="simple,extended,prepared")
    pgbench.add_argument("--clients", default="1,8,64")
    pgbench.add_argument("--seconds", type=int, default=5)
    pgbench.add_argument("--foreign-keys", action="store_true")
    load = verbs.add_parser("load", parents=[common])
    load.add_argument("--scale-factor", type=float, default=0.5, help="of TPC-H")
    recovery = verbs.add_parser("recovery", parents=[common])
    recovery.add_argument("--transactions", type=int, default=100_000)
    recovery.add_argument("--rows", type=int, default=2_000_000)
    options = arguments.parse_args()
    {"pgbench": bench_pgbench, "load": bench_load, "recovery": bench_recovery}[options.verb](
        options
    )


if __name__ == "__main__":
    main()
