#!/usr/bin/env python3
"""./orrery regress: a PostgreSQL regression suite, run through psql as pg_regress does, and scored.

A suite is a folder with sql/NAME.sql, expected/NAME.out and a schedule (parallel_schedule or
schedule); data/ and alternates.json when it needs them. By default it is the folder named by the
environment variable ORRERY_PG_SUITE, or ../shared/pg15/regress beside the tree.

Exit code 0: nothing fell below the ratchet. 1: something did, or a named test failed without one.
77: the suite is not there.
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT / "tools"))

import score as scoring  # noqa: E402
import script as psql_script  # noqa: E402
import servers  # noqa: E402

DATABASE = "regression"
# What pg_regress sets for each database it makes.
DATABASE_SETTINGS = {
    "lc_messages": "C",
    "lc_monetary": "C",
    "lc_numeric": "C",
    "lc_time": "C",
    "bytea_output": "hex",
    "timezone_abbreviations": "Default",
}
SMOKE_TESTS = 20


class Suite:
    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder.resolve()
        self.name = f"{self.folder.parent.name}/{self.folder.name}"
        schedules = [self.folder / n for n in ("parallel_schedule", "schedule", "serial_schedule")]
        text = next(p for p in schedules if p.exists()).read_text()
        self.groups = [line.split() for line in re.findall(r"^test:(.*)$", text, re.MULTILINE)]
        alternates = self.folder / "alternates.json"
        self.alternates = collections.defaultdict(list)
        if alternates.exists():
            for one in json.loads(alternates.read_text())["statements"]:
                self.alternates[one["test"]].append(one)

    def names(self) -> list[str]:
        return [name for group in self.groups for name in group]

    def script(self, name: str) -> str:
        return read(self.folder / "sql" / f"{name}.sql")

    def variants(self, name: str) -> dict[str, str]:
        """The expected outputs by file name. A resultmap names other platforms': left alone."""
        expected = self.folder / "expected"
        paths = [expected / f"{name}.out"] + [expected / f"{name}_{n}.out" for n in range(10)]
        return {path.name: read(path) for path in paths if path.exists()}


@dataclasses.dataclass
class Run:
    """One run of one test."""

    name: str
    seconds: float
    output: str
    hung: bool
    lost: bool  # psql lost its connection
    died: bool = False  # the server went down, and this test alone was running


def read(path: pathlib.Path) -> str:
    return path.read_text(encoding="utf-8", errors="surrogateescape")


def write(path: pathlib.Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", errors="surrogateescape")


def psql_version() -> tuple[int, ...]:
    said = subprocess.run(["psql", "--version"], capture_output=True, text=True).stdout
    return tuple(int(n) for n in re.search(r"(\d+(?:\.\d+)+)", said)[1].split("."))


def input_for_psql(suite: Suite, name: str) -> str:
    """The script as psql shall read it. From 15.19 psql passes over in-line data after a COPY
    FROM STDIN that fails, up to a line "\\."; where the script has no data that line is added, or
    psql would swallow the rest. psql does not echo it."""
    text = suite.script(name)
    if psql_version() < (15, 19):
        return text
    script = psql_script.split(text, next(iter(suite.variants(name).values()), ""))
    lines = text.split("\n")
    for line in sorted(script.bare_copies, reverse=True):
        lines.insert(line, "\\.")
    return "\n".join(lines)


class Runner:
    def __init__(self, options: argparse.Namespace, suite: Suite, out: pathlib.Path) -> None:
        self.options, self.suite, self.out = options, suite, out
        self.server: servers.Server | None = None
        self.host, self.port = options.host, options.port
        self.database = DATABASE
        self.notes: list[str] = []
        self.restarts = self.fresh_starts = 0
        self.lock = threading.Lock()

    def start_server(self) -> None:
        if self.port:
            return
        data = servers.scratch(self.out / "data")
        log = self.out / "server.log"
        if self.options.postgres:
            settings = {"fsync": "off", "max_prepared_transactions": "2", "shared_buffers": "128MB"}
            self.server = servers.Postgres(data, log, settings)
        else:
            command = (
                self.options.server_cmd
                or f"{ROOT}/build/release/orrery server --data {{data}} --port {{port}}"
            )
            self.server = servers.Server("the server", shlex.split(command), data, log)
        self.server.start()
        self.port = self.server.port

    def environment(self, name: str) -> dict[str, str]:
        """pg_regress's. psql gets the rest of ours, without locale and PG variables."""
        unset = ("LC_", "PG", "LANG")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(unset)}
        return {
            **kept,
            "PGAPPNAME": f"pg_regress/{name}",
            "PG_ABS_SRCDIR": str(self.suite.folder),
            "PG_ABS_BUILDDIR": str(self.out),
            "PG_LIBDIR": "/usr/lib/postgresql/15/lib",
            "PG_DLSUFFIX": ".so",
            "LC_MESSAGES": "C",
            "PGTZ": "PST8PDT",
            "PGDATESTYLE": "Postgres, MDY",
            "PGOPTIONS": "-c intervalstyle=postgres_verbose",
            "PGHOST": self.host,
            "PGPORT": str(self.port),
            "PGUSER": "postgres",
        }

    def psql(self, database: str, sql: str, timeout_s: float = 60) -> str:
        """Runs one command outside any test; what went wrong, or nothing."""
        environment = servers.client_environment(self.port, self.host)
        words = ["psql", "-X", "-q", "-d", database, "-c", sql]
        try:
            done = subprocess.run(
                words, env=environment, capture_output=True, text=True, timeout=timeout_s
            )
        except subprocess.TimeoutExpired:
            return f"no answer in {timeout_s:.0f} s"
        return done.stderr.strip() if done.returncode else ""

    def make_database(self) -> None:
        trouble = self.psql("postgres", f'CREATE DATABASE "{DATABASE}" TEMPLATE=template0')
        if trouble:
            self.note(f"CREATE DATABASE: {trouble}; the tests run in postgres")
            self.database = "postgres"
        for name, value in DATABASE_SETTINGS.items():
            trouble = self.psql(
                self.database, f"ALTER DATABASE \"{self.database}\" SET {name} TO '{value}'"
            )
            if trouble:
                self.note(f"ALTER DATABASE SET {name}: {trouble}")

    def note(self, text: str) -> None:
        self.notes.append(text)
        print(f"note: {text}", flush=True)

    def run_psql(self, name: str) -> Run:
        script = self.out / "sql" / f"{name}.sql"
        script.parent.mkdir(exist_ok=True)
        write(script, input_for_psql(self.suite, name))
        result = self.out / "results" / f"{name}.out"
        words = ["psql", "-X", "-a", "-q", "-d", self.database]
        words += ["-v", "HIDE_TABLEAM=on", "-v", "HIDE_TOAST_COMPRESSION=on"]
        start = time.monotonic()
        with script.open("rb") as text, result.open("wb") as output:
            process = subprocess.Popen(
                words,
                stdin=text,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.out,
                env=self.environment(name),
                start_new_session=True,
            )
            try:
                code, hung = process.wait(self.options.timeout), False
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                code, hung = process.wait(), True
        return Run(name, time.monotonic() - start, read(result), hung, code == 2)

    def is_well(self) -> bool:
        if self.server is None:
            return self.psql(self.database, "select 1", 20) == ""
        return self.server.is_running() and self.server.answers(20)

    def restart(self, why: str) -> None:
        """After a death or a hang: starts the server again on its data, else on new data."""
        if self.server is None:
            self.note(f"{why}; the server is not ours to restart")
            return
        self.restarts += 1
        self.note(f"{why}; restarting: {self.server.log_tail()[-300:]}")
        self.server.kill()
        try:
            self.server.start(120)
        except RuntimeError as trouble:
            self.note(f"it did not recover: {trouble}")
            self.fresh_starts += 1
            kept = self.out / f"data_{self.fresh_starts}"
            shutil.rmtree(kept, ignore_errors=True)
            self.server.data.rename(kept)
            self.port = self.server.port = 0
            self.start_server()
            self.make_database()
            setup = self.suite.groups[0][0]
            self.run_psql(setup)

    def run_group(self, names: list[str]) -> list[Run]:
        """Runs a group of the schedule at once, as pg_regress does. When the server dies or hangs,
        the tests that were cut are run again one by one, to know which of them does it."""
        with concurrent.futures.ThreadPoolExecutor(self.options.jobs or len(names)) as pool:
            runs = list(pool.map(self.run_psql, names))
        well = self.is_well()
        if well and not any(run.hung for run in runs):
            return runs
        cut = [run for run in runs if run.hung or run.lost]
        blamed = ", ".join(run.name for run in cut) or ", ".join(names)
        self.restart(f"{'hung' if well else 'died'} during {blamed}")
        if len(names) == 1:
            runs[0].died = not well
            return runs
        again = {run.name: self.run_group([run.name])[0] for run in cut}
        return [again.get(run.name, run) for run in runs]


def accept(suite: Suite, run: Run) -> None:
    (suite.folder / "expected").mkdir(exist_ok=True)
    write(suite.folder / "expected" / f"{run.name}.out", run.output)


def judge(suite: Suite, run: Run) -> dict:
    found = scoring.score(
        suite.script(run.name), suite.variants(run.name), run.output, suite.alternates[run.name]
    )
    return {
        "name": run.name,
        "passed": found.passed,
        "variant": found.variant,
        "seconds": round(run.seconds, 2),
        "hung": run.hung,
        "died": run.died,
        "statements": len(found.verdicts),
        "matched": found.count(matched=True),
        "with_output": found.count(has_output=True),
        "matched_with_output": found.count(has_output=True, matched=True),
        "failures": [
            {"line": v.line, "text": v.text, "expected": v.expected, "actual": v.actual}
            for v in found.verdicts
            if not v.matched
        ],
        "diff": found.diff,
    }


def tell(result: dict, width: int) -> None:
    state = (
        "ok"
        if result["passed"]
        else "hung" if result["hung"] else "died" if result["died"] else "FAIL"
    )
    print(
        f"{state:5} {result['name']:{width}} {result['seconds']:7.1f} s"
        f"  {result['matched_with_output']:5} of {result['with_output']:5} with output"
        f"  {result['matched']:5} of {result['statements']:5} in all",
        flush=True,
    )


def totals(results: list[dict]) -> dict:
    keys = ("statements", "matched", "with_output", "matched_with_output")
    found = {key: sum(result[key] for result in results) for key in keys}
    found.update({"files": len(results), "passed": sum(result["passed"] for result in results)})
    found.update({key: [r["name"] for r in results if r[key]] for key in ("hung", "died")})
    return found


def below_ratchet(floor: dict, results: list[dict]) -> list[str]:
    worse = []
    for result in results:
        old = floor.get(result["name"])
        if old and old["passed"] and not result["passed"]:
            worse.append(f"{result['name']} passed before")
        elif old and result["matched_with_output"] < old["with_output"]:
            worse.append(
                f"{result['name']}: {result['matched_with_output']}, was {old['with_output']}"
            )
    return worse


def raise_ratchet(path: pathlib.Path, suite: str, results: list[dict]) -> None:
    """Takes over what is better than before; nothing ever sinks."""
    floors = json.loads(path.read_text()) if path.exists() else {}
    floor = floors.setdefault(suite, {})
    for result in results:
        old = floor.get(result["name"], {"passed": False, "with_output": 0})
        floor[result["name"]] = {
            "passed": old["passed"] or result["passed"],
            "with_output": max(old["with_output"], result["matched_with_output"]),
        }
    floors = {name: dict(sorted(one.items())) for name, one in sorted(floors.items())}
    lines = []
    for name, one in floors.items():
        inner = ",\n".join(
            f"    {json.dumps(test)}: {json.dumps(entry)}" for test, entry in one.items()
        )
        lines.append(f"  {json.dumps(name)}: {{\n{inner}\n  }}")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def default_suite() -> pathlib.Path:
    named = os.environ.get("ORRERY_PG_SUITE")
    return pathlib.Path(named) if named else ROOT.parent / "shared" / "pg15" / "regress"


def parse_arguments() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(prog="./orrery regress", description=__doc__.split("\n")[0])
    arguments.add_argument("names", nargs="*", help="these tests only, after the suite's first")
    arguments.add_argument("--suite", type=pathlib.Path, default=default_suite())
    arguments.add_argument(
        "--server-cmd", help="starts the server; {data} and {port} are filled in"
    )
    arguments.add_argument("--host", default="127.0.0.1")
    arguments.add_argument("--port", type=int, default=0, help="a server that runs already")
    arguments.add_argument(
        "--postgres", action="store_true", help="a PostgreSQL 15 of its own, as oracle"
    )
    arguments.add_argument(
        "--jobs", type=int, default=0, help="tests at once; default: a whole group"
    )
    arguments.add_argument("--timeout", type=float, default=300, help="seconds for one test")
    arguments.add_argument(
        "--smoke", action="store_true", help="a few tests that the ratchet says pass"
    )
    arguments.add_argument("--out", type=pathlib.Path, default=ROOT / "build" / "regress")
    arguments.add_argument("--json", type=pathlib.Path, help="default: OUT/result.json")
    arguments.add_argument(
        "--ratchet", type=pathlib.Path, help="default for our own server: regress/ratchet.json"
    )
    arguments.add_argument(
        "--raise-ratchet", action="store_true", help="keep what is better than before"
    )
    arguments.add_argument(
        "--accept", action="store_true", help="with --postgres: what it answers is now expected"
    )
    options = arguments.parse_args()
    if options.accept and not options.postgres:
        arguments.error("--accept takes PostgreSQL's answers only: add --postgres")
    ours = not (options.postgres or options.port or options.server_cmd)
    if options.ratchet is None and ours:
        options.ratchet = HERE / "ratchet.json"
    return options


def choose(suite: Suite, options: argparse.Namespace, floor: dict) -> list[list[str]]:
    wanted = list(options.names)
    if options.smoke:
        passing = [name for name in suite.names() if floor.get(name, {}).get("passed")]
        if not passing:
            sys.exit(f"orrery: the ratchet names no file of {suite.name} that passes")
        wanted += passing[:SMOKE_TESTS]
    unknown = set(wanted) - set(suite.names())
    if unknown:
        sys.exit(f"orrery: not in the suite's schedule: {', '.join(sorted(unknown))}")
    if not wanted:
        return suite.groups
    wanted.append(suite.groups[0][0])
    chosen = [[name for name in group if name in wanted] for group in suite.groups]
    return [group for group in chosen if group]


def main() -> int:
    options = parse_arguments()
    if not options.suite.is_dir():
        print(f"the suite {options.suite} is not there (--suite DIR, or ORRERY_PG_SUITE)")
        return 77
    suite = Suite(options.suite)
    floors = (
        json.loads(options.ratchet.read_text())
        if options.ratchet and options.ratchet.exists()
        else {}
    )
    floor = floors.get(suite.name, {})
    groups = choose(suite, options, floor)
    out = servers.scratch(options.out.resolve())
    results_folder = out / "results"
    results_folder.mkdir()
    results_folder.chmod(0o777)  # the server writes there too, and may be another user
    runner = Runner(options, suite, out)
    runner.start_server()
    results, start = [], time.monotonic()
    width = max(len(name) for name in suite.names())
    try:
        runner.make_database()
        for group in groups:
            for run in runner.run_group(group):
                if options.accept:
                    accept(suite, run)
                results.append(judge(suite, run))
                tell(results[-1], width)
    finally:
        if runner.server:
            runner.server.stop()
    sums = totals(results)
    write(out / "regression.diffs", "".join(f"diff {r['name']}\n{r.pop('diff')}" for r in results))
    report = {
        "suite": suite.name,
        "totals": sums,
        "restarts": runner.restarts,
        "notes": runner.notes,
    }
    report["seconds"] = round(time.monotonic() - start, 1)
    (options.json or out / "result.json").write_text(
        json.dumps({**report, "files": results}, indent=1)
    )
    worse = below_ratchet(floor, results)
    for text in worse:
        print(f"below the ratchet: {text}")
    if options.raise_ratchet and options.ratchet:
        raise_ratchet(options.ratchet, suite.name, results)
    share = 100 * sums["matched_with_output"] / max(1, sums["with_output"])
    print(f"results, diffs and result.json are in {out}")
    print(
        f"{sums['passed']} of {sums['files']} files pass; {sums['matched_with_output']} of"
        f" {sums['with_output']} statements with expected output match ({share:.1f} %),"
        f" {sums['matched']} of {sums['statements']} in all;"
        f" {len(sums['died'])} files killed the server, {len(sums['hung'])} hung it"
    )
    named_failed = bool(options.names) and any(
        not r["passed"] for r in results if r["name"] in options.names
    )
    return 1 if worse or (named_failed and not floor) else 0


if __name__ == "__main__":
    sys.exit(main())
