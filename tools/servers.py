"""Database servers as the tools start them: ours by a command line, PostgreSQL 15 as the peer. Both
on a free loopback port, over a data directory that the caller names."""

import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import time

POSTGRES_BIN = pathlib.Path("/usr/lib/postgresql/15/bin")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def client_environment(
    port: int, host: str = "127.0.0.1", user: str = "postgres"
) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
    return {**kept, "PGHOST": host, "PGPORT": str(port), "PGUSER": user}


class Server:
    """A server process. `command` is a list whose words may hold {data} and {port}."""

    def __init__(
        self, name: str, command: list[str], data: pathlib.Path, log: pathlib.Path
    ) -> None:
        self.name, self.command, self.data, self.log = name, command, data, log
        self.port = 0
        self.process: subprocess.Popen | None = None

    def start(self, ready_s: float = 60) -> float:
        """Starts it and waits until it answers a query; returns the seconds that took."""
        if self.port == 0:
            self.port = free_port()
        words = [
            w.replace("{data}", str(self.data)).replace("{port}", str(self.port))
            for w in self.command
        ]
        began = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        while time.monotonic() - began < ready_s:
            if self.process.poll() is not None:
                raise RuntimeError(
                    f"{self.name} ended with {self.process.returncode}: {self.log_tail()}"
                )
            if self.answers(2):
                return time.monotonic() - began
            time.sleep(0.01)
        self.kill()
        raise RuntimeError(f"{self.name} did not answer within {ready_s:.0f} s: {self.log_tail()}")

    def answers(self, timeout_s: float) -> bool:
        """Whether a session can be opened and `select 1` comes back in time."""
        from pgwire_client import Connection, ConnectionLost, ServerError

        try:
            with Connection("127.0.0.1", self.port, timeout_s=timeout_s) as connection:
                return connection.query("select 1").rows == [["1"]]
        except (OSError, ConnectionLost, ServerError):
            return False

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def pids(self) -> list[int]:
        """The server's process and those it started."""
        found, todo = [], [self.process.pid] if self.process else []
        while todo:
            pid = todo.pop()
            found.append(pid)
            for children in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
                try:
                    todo += [int(word) for word in children.read_text().split()]
                except OSError:
                    pass
        return found

    def kill(self) -> None:
        """SIGKILL to all its processes at once, as a power cut would."""
        if not self.process:
            return
        for pid in self.pids():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()

    def stop(self, timeout_s: float = 60) -> int:
        """SIGTERM, and SIGKILL when that is not heeded; its exit code."""
        if not self.process:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.process.returncode

    def resident_bytes(self) -> int:
        """Proportional memory of all its processes."""
        total = 0
        for pid in self.pids():
            try:
                text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
            except OSError:
                continue
            total += sum(
                int(l.split()[1]) * 1024 for l in text.splitlines() if l.startswith("Pss:")
            )
        return total

    def log_tail(self) -> str:
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return text[-2000:].strip() or "its log is empty"


class Postgres(Server):
    """PostgreSQL 15 from Debian, in a cluster of its own. As root it runs as the user postgres."""

    def __init__(self, data: pathlib.Path, log: pathlib.Path, settings: dict[str, str]) -> None:
        as_root = os.geteuid() == 0
        self.prefix = (
            ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] if as_root else []
        )
        self.settings = settings
        command = [*self.prefix, str(POSTGRES_BIN / "postgres"), "-D", "{data}", "-p", "{port}"]
        super().__init__("PostgreSQL", command, data, log)
        if not (data / "PG_VERSION").exists():
            self.make()

    def make(self) -> None:
        self.data.mkdir(parents=True, exist_ok=True)
        if self.prefix:
            shutil.chown(self.data, "postgres", "postgres")
        words = ["-U", "postgres", "-A", "trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
        done = subprocess.run(
            [*self.prefix, str(POSTGRES_BIN / "initdb"), "-D", str(self.data), *words],
            cwd="/",
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"initdb: {done.stderr}")
        lines = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", **self.settings}
        with (self.data / "postgresql.conf").open("a") as conf:
            conf.writelines(f"{name} = '{value}'\n" for name, value in lines.items())

    def stop(self, timeout_s: float = 60) -> int:
        if self.is_running():
            self.process.send_signal(signal.SIGINT)  # "fast": SIGTERM would wait for sessions
            try:
                self.process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.process.returncode if self.process else 0


def has_postgres() -> bool:
    try:
        pwd.getpwnam("postgres")
    except KeyError:
        return False
    return (POSTGRES_BIN / "postgres").exists()


def scratch(path: pathlib.Path) -> pathlib.Path:
    """An empty directory that the user postgres may pass through."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path
