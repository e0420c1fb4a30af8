#!/usr/bin/env python3
"""Writes NAME.golden beside each NAME.sql: what psql prints of it against PostgreSQL 15.

usage: make_golden.py [NAME...], with PGHOST and PGPORT naming a server whose user postgres may make databases.
"""

import os
import pathlib
import subprocess
import sys

here = pathlib.Path(__file__).resolve().parent
env = os.environ | {"PGUSER": "postgres", "PGOPTIONS": "-c lc_messages=C -c TimeZone=GMT -c datestyle=ISO"}


def psql(database: str, *words: str, script: str = "") -> str:
    command = ["psql", "-X", "-d", database, *words]
    done = subprocess.run(command, input=script, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.stdout


def main() -> None:
    names = sys.argv[1:] or sorted(path.stem for path in here.glob("*.sql"))
    for name in names:
        psql("postgres", "-c", "drop database if exists golden")
        psql("postgres", "-c", "create database golden template template0 lc_collate 'C' lc_ctype 'C' encoding 'UTF8'")
        script = (here / f"{name}.sql").read_text()
        (here / f"{name}.golden").write_text(psql("golden", script=script))


main()
