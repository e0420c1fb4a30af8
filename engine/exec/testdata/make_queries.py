#!/usr/bin/env python3
"""Writes queries.golden: what PostgreSQL 15 answers to each line of queries.sql.

Usage: make_queries.py HOST PORT. Rows are as `psql -At -z` shows them; an error is its SQLSTATE, message and position.
PostgreSQL is needed only to write the file, never to run the test.
"""
import pathlib
import subprocess
import sys

here = pathlib.Path(__file__).resolve().parent
host, port = sys.argv[1:3]
out = []
for line in (here / "queries.sql").read_text().splitlines():
    script = f"\\set VERBOSITY verbose\n{line}\n;\n"
    run = subprocess.run(
        ["psql", "-X", "-At", "-P", "null=NULL", "-h", host, "-p", port, "-U", "postgres", "postgres"],
        input=script, capture_output=True, text=True, check=False)
    out.append(line)
    out.append("---")
    if run.stderr:
        first = run.stderr.splitlines()[0]
        out.append("ERROR " + first.split("ERROR:", 1)[1].strip())
    elif run.stdout:
        out.append(run.stdout.rstrip("\n"))
    out.append("")
(here / "queries.golden").write_text("\n".join(out))
