#!/usr/bin/env python3
"""Compares the fact tables with a PostgreSQL 15 of its own making; ends with 77, skipped, where none is installed."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
PROGRAMS = pathlib.Path("/usr/lib/postgresql/15/bin")
SKIPPED = 77


def main() -> None:
    if not (PROGRAMS / "initdb").exists() or shutil.which("psql") is None:
        print("skipped: PostgreSQL 15 is not installed here")
        sys.exit(SKIPPED)
    # The server refuses to run as root.
    become = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory(prefix="facts_") as directory:
        if become:
            shutil.chown(directory, "postgres")
        data = f"{directory}/data"
        def run(*command: str) -> None:
            subprocess.run([*become, *command], check=True, capture_output=True, cwd=directory)

        run(f"{PROGRAMS}/initdb", "-D", data, "-U", "postgres", "--locale=C", "--encoding=UTF8", "-A", "trust", "-N")
        run(f"{PROGRAMS}/pg_ctl", "-D", data, "-w", "-l", f"{directory}/log", "start", "-o",
            f"-k {directory} -c listen_addresses='' -c fsync=off -c shared_buffers=16MB")
        try:
            done = subprocess.run([sys.executable, HERE / "extract.py", "--check", "-h", directory, "-U", "postgres"],
                                  check=False)
        finally:
            run(f"{PROGRAMS}/pg_ctl", "-D", data, "-m", "immediate", "stop")
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
