"""Two servers side by side, ours and PostgreSQL 15, and what every measurement of them needs: equal
settings, interleaved rounds, medians of paired ratios, the raw logs, the machine."""

import argparse
import dataclasses
import json
import os
import pathlib
import platform
import shlex
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import servers  # noqa: E402

OURS, PEER = "orrery", "postgres"


class Pair:
    """The two servers, each in a data directory of its own under `out`, with the same settings."""

    def __init__(self, options: argparse.Namespace, settings: dict[str, str]) -> None:
        self.out = servers.scratch(options.out.resolve() / time.strftime("%Y%m%d_%H%M%S"))
        self.out.parent.chmod(0o755)
        if not servers.has_postgres():
            raise SystemExit("orrery: PostgreSQL 15 is not installed")
        self.settings = {"fsync": "on", "shared_buffers": options.shared_buffers, **settings}
        self.servers: dict[str, servers.Server] = {
            OURS: self.make_ours(options.ours_cmd),
            PEER: self.make_postgres("postgres"),
        }
        self.notes: list[str] = []
        for name, server in self.servers.items():
            server.start()
        self.apply_settings()

    def make_postgres(self, name: str) -> servers.Postgres:
        settings = {**self.settings, "max_connections": "200"}
        return servers.Postgres(self.out / f"{name}_data", self.out / f"{name}.log", settings)

    def make_ours(self, command: str) -> servers.Server:
        if command == "postgres":  # PostgreSQL against itself: what the noise of a run is
            return self.make_postgres("ours")
        command = command or f"{ROOT}/build/release/orrery server --data {{data}} --port {{port}}"
        data = servers.scratch(self.out / "ours_data")
        return servers.Server("orrery", shlex.split(command), data, self.out / "ours.log")

    def apply_settings(self) -> None:
        """Gives ours the peer's settings, restarts it, and notes what it would not take."""
        ours = self.servers[OURS]
        if isinstance(ours, servers.Postgres):
            return
        for name, value in self.settings.items():
            if name == "fsync":
                continue  # it cannot be turned off
            trouble = self.try_psql(OURS, f"alter system set {name} to '{value}'")
            if trouble:
                self.notes.append(f"ours does not take {name} = {value}: {trouble}")
        ours.stop()
        ours.start()

    def environment(self, name: str) -> dict[str, str]:
        return {**servers.client_environment(self.servers[name].port), "PGDATABASE": "postgres"}

    def try_psql(self, name: str, sql: str) -> str:
        done = self.run(name, ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", sql])
        return done.stderr.strip() if done.returncode else ""

    def psql(self, name: str, sql: str) -> str:
        """One command that must succeed; its output."""
        done = self.run(name, ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql])
        if done.returncode:
            raise SystemExit(f"orrery: {name}: {sql[:100]}: {done.stderr.strip()}")
        return done.stdout.strip()

    def run(self, name: str, words: list[str], stdin=subprocess.DEVNULL):
        environment = self.environment(name)
        return subprocess.run(words, env=environment, stdin=stdin, capture_output=True, text=True)

    def stop(self) -> None:
        for server in self.servers.values():
            server.stop()


@dataclasses.dataclass
class Measured:
    """One thing measured on both: a value a round, higher is better when `per_second`."""

    name: str
    per_second: bool
    values: dict[str, list[float]]

    def ratios(self) -> list[float]:
        """Ours to the peer's, round by round; above 1 ours is better."""
        pairs = zip(self.values[OURS], self.values[PEER])
        if self.per_second:
            return [ours / peer if peer else float("nan") for ours, peer in pairs]
        return [peer / ours if ours else float("nan") for ours, peer in pairs]

    def line(self, width: int) -> str:
        ratios = self.ratios()
        unit = "/s" if self.per_second else "s "
        ours, peer = (statistics.median(self.values[name]) for name in (OURS, PEER))
        return (
            f"{self.name:{width}}  {ours:12.2f} {unit} {peer:12.2f} {unit}"
            f"  {statistics.median(ratios):6.2f}  ({min(ratios):.2f} .. {max(ratios):.2f})"
        )


def machine() -> dict[str, str]:
    def first(path: str, key: str) -> str:
        for line in pathlib.Path(path).read_text().splitlines():
            if line.startswith(key):
                return line.split(":", 1)[1].strip()
        return "?"

    return {
        "processor": f"{os.cpu_count()} x {first('/proc/cpuinfo', 'model name')}",
        "memory": first("/proc/meminfo", "MemTotal"),
        "kernel": platform.release(),
        "load before": " ".join(f"{x:.2f}" for x in os.getloadavg()),
    }


def report(pair: Pair, title: str, measured: list[Measured], facts: dict[str, str]) -> None:
    versions = {name: pair.psql(name, "select version()") for name in (OURS, PEER)}
    width = max(len(m.name) for m in measured)
    rounds = max(len(m.values[OURS]) for m in measured)
    lines = [f"{title}, {rounds} rounds, ours and PostgreSQL in turn"]
    lines += [f"  {name}: {value}" for name, value in {**facts, **versions}.items()]
    lines += [f"  note: {note}" for note in pair.notes]
    lines.append(f"{'':{width}}  {'ours':>15} {'PostgreSQL':>15}  ratio  (of the rounds)")
    lines += [m.line(width) for m in measured]
    lines.append(f"raw logs: {pair.out}")
    text = "\n".join(lines) + "\n"
    print(text, end="")
    (pair.out / "report.txt").write_text(text)
    raw = {
        "title": title,
        "facts": facts,
        "versions": versions,
        "settings": pair.settings,
        "notes": pair.notes,
        "measured": [{**dataclasses.asdict(m), "ratios": m.ratios()} for m in measured],
    }
    (pair.out / "report.json").write_text(json.dumps(raw, indent=1))
