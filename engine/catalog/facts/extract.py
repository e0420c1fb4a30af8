#!/usr/bin/env python3
"""Writes the fact tables beside this script from a freshly initialised PostgreSQL 15, or compares them with one.

    extract.py [--check] [psql option ...]        for example: extract.py --check -h 127.0.0.1 -p 5432 -U postgres

The cluster must come from `initdb -U postgres --locale=C --encoding=UTF8`. Each table NAME.tsv holds the rows of catalog
NAME whose objects are built in (OIDs below 12000), and those of the system views, which initdb numbers from 12000 on;
ordered by key, in the text format of COPY under one line of column names. What depends on one cluster (sizes,
transaction ids, files) is replaced by a constant, and stored expressions are SQL text, as our pg_node_tree columns
hold them.
"""
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
FIRST_UNPINNED_OID = 12000

# catalog -> the column whose object must be built in, and the columns that order the rows
CATALOGS = {
    "pg_aggregate": ("aggfnoid", "aggfnoid"),
    "pg_am": ("oid", "oid"),
    "pg_amop": ("oid", "oid"),
    "pg_amproc": ("oid", "oid"),
    "pg_attribute": ("attrelid", "attrelid, attnum"),
    "pg_auth_members": ("roleid", "roleid, member"),
    "pg_authid": ("oid", "oid"),
    "pg_cast": ("oid", "oid"),
    "pg_class": ("oid", "oid"),
    "pg_collation": ("oid", "oid"),
    "pg_constraint": ("oid", "oid"),
    "pg_conversion": ("oid", "oid"),
    "pg_database": ("oid", "oid"),
    "pg_index": ("indexrelid", "indexrelid"),
    "pg_init_privs": ("objoid", "objoid, classoid, objsubid"),
    "pg_language": ("oid", "oid"),
    "pg_namespace": ("oid", "oid"),
    "pg_opclass": ("oid", "oid"),
    "pg_operator": ("oid", "oid"),
    "pg_opfamily": ("oid", "oid"),
    "pg_proc": ("oid", "oid"),
    "pg_range": ("rngtypid", "rngtypid"),
    "pg_rewrite": ("oid", "oid"),
    "pg_tablespace": ("oid", "oid"),
    "pg_ts_config": ("oid", "oid"),
    "pg_ts_config_map": ("mapcfg", "mapcfg, maptokentype, mapseqno"),
    "pg_ts_dict": ("oid", "oid"),
    "pg_ts_parser": ("oid", "oid"),
    "pg_ts_template": ("oid", "oid"),
    "pg_type": ("oid", "oid"),
}

# Rows of system views: catalog -> which of them
VIEWS = "(select oid from pg_class where relkind = 'v' and relnamespace = 'pg_catalog'::regnamespace)"
OF_VIEWS = {
    "pg_attribute": f"attrelid in {VIEWS}",
    "pg_class": f"oid in {VIEWS}",
    "pg_rewrite": f"ev_class in {VIEWS} and ev_type = '1'",
    "pg_type": f"typrelid in {VIEWS} or typelem in (select oid from pg_type where typrelid in {VIEWS})",
}

CONSTANTS = {
    ("pg_class", "relfilenode"): "0",
    ("pg_class", "relpages"): "0",
    ("pg_class", "reltuples"): "-1",
    ("pg_class", "relallvisible"): "0",
    ("pg_class", "relfrozenxid"): "case when relkind in ('r', 't') then '3' else '0' end",
    ("pg_class", "relminmxid"): "case when relkind in ('r', 't') then '1' else '0' end",
    ("pg_database", "datfrozenxid"): "'3'",
    ("pg_database", "datminmxid"): "'1'",
    ("pg_proc", "proargdefaults"): "pg_get_expr(proargdefaults, 0)",
    ("pg_proc", "prosqlbody"): "pg_get_function_sqlbody(oid)",
    ("pg_rewrite", "ev_action"): "rtrim(pg_get_viewdef(ev_class), ';')",
}


def psql(options: list[str], script: str) -> str:
    command = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", *options]
    done = subprocess.run(command, input=script, capture_output=True, text=True, encoding="utf-8", check=False)
    if done.returncode != 0:
        sys.exit(done.stderr.strip())
    return done.stdout


def columns_of(options: list[str], catalog: str) -> list[tuple[str, str]]:
    out = psql(options, f"""select attname, format_type(atttypid, -1) from pg_attribute
                            where attrelid = '{catalog}'::regclass and attnum > 0 order by attnum;""")
    return [(name, kind) for name, kind in (line.split("|") for line in out.splitlines())]


def extract(options: list[str], catalog: str) -> str:
    built_in, order = CATALOGS[catalog]
    columns = columns_of(options, catalog)
    selected = []
    for name, kind in columns:
        value = CONSTANTS.get((catalog, name), f"{name}::oid" if kind == "regproc" else name)
        selected.append(f"{value} as {name}")
    which = f"{built_in}::oid < {FIRST_UNPINNED_OID} or {OF_VIEWS.get(catalog, 'false')}"
    rows = psql(options, f"""copy (select {', '.join(selected)} from {catalog}
                             where {which} order by {order}) to stdout;""")
    return "\t".join(name for name, _ in columns) + "\n" + rows


def main() -> None:
    arguments = sys.argv[1:]
    check = arguments[:1] == ["--check"]
    options = arguments[1:] if check else arguments
    differing = []
    for catalog in sorted(CATALOGS):
        path = HERE / f"{catalog}.tsv"
        text = extract(options, catalog)
        if not check:
            path.write_text(text, encoding="utf-8")
        elif path.read_text(encoding="utf-8") != text:
            differing.append(catalog)
    if differing:
        sys.exit("facts differ from the server: " + " ".join(differing))


if __name__ == "__main__":
    main()
