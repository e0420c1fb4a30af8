#!/usr/bin/env python3
"""Writes functions.facts and aggregates.facts from a running PostgreSQL 15, reached through psql's usual PG* variables.

The tables are committed; the tests need neither this script nor PostgreSQL. See types/testdata/make_facts.py for the form.

  functions.facts    OID, prosrc, result type, argument types (comma), arguments..., result
  aggregates.facts   OID, result type, argument types (comma), rows (each "value,value", joined by ;), result
"""
import importlib.util
import itertools
import pathlib
import random
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
spec = importlib.util.spec_from_file_location("type_facts", HERE.parents[1] / "types" / "testdata" / "make_facts.py")
common = importlib.util.module_from_spec(spec)
spec.loader.exec_module(common)

SAMPLES = {
    "bool": ["t", "f"],
    "char": ["a", "Z", "\\377", ""],
    "int2": ["0", "1", "-1", "7", "-32768", "32767", "100"],
    "int4": ["0", "1", "-1", "2", "5", "-2147483648", "2147483647", "46341", "12", "-7", "1000"],
    "int8": ["0", "1", "-1", "9223372036854775807", "-9223372036854775808", "3037000500", "42", "-100"],
    "oid": ["0", "1", "4294967295", "23"],
    "xid": ["0", "1", "4294967295"],
    "xid8": ["0", "1", "18446744073709551615"],
    "pg_lsn": ["0/0", "1/2", "FFFFFFFF/FFFFFFFF"],
    "tid": ["(0,1)", "(7,3)", "(4294967295,65535)"],
    "float4": ["0", "1", "-1.5", "3.4e38", "1e-45", "NaN", "Infinity", "-Infinity", "2.5", "100"],
    "float8": ["0", "1", "-1", "0.5", "-0.5", "2.5", "1e308", "-1e308", "4.9e-324", "NaN", "Infinity", "-Infinity", "30", "45", "0.1", "100"],
    "numeric": ["0", "1", "-1", "1.50", "-2.345", "1e20", "0.0001", "NaN", "Infinity", "-Infinity", "12345.6789", "2", "100"],
    "text": ["", "abc", "héllo wörld", "  trim  ", "123", "a%b_c", "Mixed CASE text", "xyxtrimyyx", "xy", "a", "b", "_%", "%llo%", "\\"],
    "bpchar": ["", "abc", "abc  ", "ab", "zé"],
    "varchar": ["", "abc", "abd"],
    "name": ["abc", "pg_class", "é"],
    "bytea": ["\\x", "\\x00ff10", "\\xdeadbeef", "\\x616263"],
    "uuid": ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"],
    "date": ["2000-01-01", "1999-12-31", "infinity", "-infinity", "2020-02-29", "0044-03-15 BC", "5874897-12-31", "1582-10-15"],
    "time": ["00:00:00", "12:34:56.789", "24:00:00", "23:59:59.999999"],
    "timetz": ["00:00:00+00", "12:34:56.789-08", "23:59:59+15:30"],
    "timestamp": ["2000-01-01 00:00:00", "1999-12-31 23:59:59.999999", "infinity", "-infinity", "2020-02-29 12:34:56.5", "0044-03-15 01:02:03 BC",
                  "294276-12-31 23:59:59", "2018-03-11 02:30:00", "2001-02-16 20:38:40.12"],
    "timestamptz": ["2000-01-01 00:00:00+00", "infinity", "-infinity", "2020-02-29 12:34:56.5+00", "0044-03-15 01:02:03+00 BC",
                    "2018-03-11 09:59:59+00", "2018-11-04 09:30:00+00", "2001-02-16 20:38:40.12+05"],
    "interval": ["0", "1 day", "-1 mons", "1 year 2 mons 3 days 04:05:06.789", "-1 days +02:03:00", "100:00:00", "35 days", "1.5 hours", "-23:59:59"],
}
SAMPLES["_int4"] = ["{}", "{1,2,3}", "{3,NULL,1}", "{{1,2},{3,4}}", "[0:2]={7,8,9}", "{2}", "{1,2,3,NULL}"]
SAMPLES["_text"] = ["{}", "{a,b,NULL}", "{xy}", "[-1:0]={a,\"c d\"}"]
ANY = {"anyarray": "_{}", "anycompatiblearray": "_{}", "anyelement": "{}", "anycompatible": "{}"}
UNITS = ["microseconds", "millisecond", "second", "minute", "Hour", "day", "week", "month", "quarter", "year", "decade", "century", "millennium",
         "epoch", "julian", "dow", "isodow", "doy", "isoyear", "timezone", "timezone_hour", "timezone_m", "fortnight", "now"]
DATE_PICTURES = ["DAY Day day DY Dy dy MONTH Month month MON Mon mon", "FMDAY FMMonth FMdd FMMM FMYYYY", "HH HH12 HH24 MI SS SSSS MS US FF1 FF3 FF6",
                 "Y,YYY YYYY YYY YY Y IYYY IYY IY I CC", "Q MM WW DDD DD D J IW ID IDDD W RM rm", "AM a.m. PM p.m.", "BC b.c. AD A.D.", "HH24th DDTH \"quoted DD\" x",
                 "TZ tz TZH TZM OF", "", "YYYY-MM-DD HH24:MI:SS.US", "yyyy mm dd hh24 mi ss"]
NUMBER_PICTURES = ["9999999999", "9,999,999,999,999,999", "9,999,999.999", "S9G999D99", "999S", "999MI", "MI999", "PL999", "SG999", "999PR", "FM999.999",
                   "FM999.990", "0000", "0999.9990", "9.9", "FM9.9", "9.99EEEE", "RN", "FMrn", "99V99", "999th", "999TH", "L999", "B9", "\"n=\"99", "EEEE9", "9S9S",
                   "99999999999999999999.9999999999", "FM9999999999999999.99999999", "", "9.9.9", "S9PR"]
READ_PICTURES = {
    "to_date": [("2011 12  18", "YYYY MM DD"), ("20001131", "YYYYMMDD"), ("1 4 1902", "Q MM YYYY"), ("3 Nov 45", "DD Mon YY"), ("2006-42", "IYYY-IW"),
                ("2005 200", "YYYY DDD"), ("44 BC 03 15", "YYYY BC MM DD"), ("xx", "YYYY"), ("12", "Day"), ("2016-366", "YYYY-DDD"), ("21 02", "CC YY"),
                ("1,582 8 21", "Y,YYY MM DD"), ("2451944", "J"), ("XI 2000", "RM YYYY"), ("2001-02-30", "YYYY-MM-DD"), ("99999999", "YYYY"), ("2011 12", "IYYY MM")],
    "to_timestamp": [("2011-12-18 11:38 PM", "YYYY-MM-DD HH12:MI PM"), ("2011-12-18 11:38 -05:30", "YYYY-MM-DD HH24:MI TZH:TZM"), ("20111218 23:38:15.123456", "YYYYMMDD HH24:MI:SS.US"),
                     ("2000 + JUN", "YYYY/MON"), ("2015-02-11 86000", "YYYY-MM-DD SSSS"), ("13:00 AM", "HH12:MI AM"), ("0097/Feb/16 --> 08:14:30", "YYYY/Mon/DD --> HH:MI:SS"),
                     ("15 98 54 45", "HH24 YY MI SS"), ("12.5", "SS.MS"), ("1.23456789", "SS.FF3"), ("99:99", "HH24:MI"), ("2000+   JUN", "FXYYYY MON"), ("1997 x", "YYYY TZ")],
    "numeric_to_number": [("-34,338,492", "99G999G999"), ("-34,338,492.654,878", "99G999G999D999G999"), ("<564646.654564>", "999999.999999PR"), ("0.00001-", "9.999999S"),
                          ("5.01-", "FM9.999999S"), ("5.01-", "FM9.999999MI"), ("5 4 4 4 4 8 . 7 8", "9 9 9 9 9 9 . 9 9"), (".01", "FM9.99"), (".0", "99999999.99999999"), ("0", "99.99"),
                          (".-01", "S99.99"), (".01-", "99.99S"), (" . 0 1-", " 9 9 . 9 9 S"), ("34,50", "999,99"), ("$1,234.56", "L99,999.99"), ("123456", "99999V99"), ("42nd", "99th"),
                          ("123456", "999G999"), ("", "9"), ("abc", "999"), ("1234.567", "9,999.99")],
}
ZONES = ["UTC", "Europe/Berlin", "PST", "pdt", "MSK", "<+03>-3", "Nowhere"]
SKIP = {"text_concat", "text_concat_ws", "text_format", "text_format_nv", "drandom", "gen_random_uuid", "now", "statement_timestamp",
        "clock_timestamp", "timeofday", "pg_backend_pid", "current_database", "current_user", "session_user", "setseed", "pg_sleep",
        "timetz_zone", "time_timetz", "hashcharextended", "pg_size_bytes", "char_bpchar",
        "format_type", "show_config_by_name", "set_config_by_name", "show_config_by_name_missing_ok"}


def psql(query):
    out = subprocess.run(["psql", "-XqAt", "-F", "\t", "-c", query], capture_output=True, text=True)
    if out.returncode:
        raise SystemExit(out.stderr)
    return [line.split("\t") for line in out.stdout.splitlines()]


def functions(rng):
    rows, expressions = [], []
    procs = psql("""select p.oid, proname, prosrc, r.typname,
        coalesce((select string_agg(t.typname, ',' order by o) from unnest(p.proargtypes) with ordinality a(x, o) join pg_type t on t.oid = x), '')
        from pg_proc p join pg_type r on r.oid = prorettype join pg_language l on l.oid = prolang
        where prokind = 'f' and not proretset and provariadic = 0 and (lanname = 'internal' or (lanname = 'sql' and p.oid < 16384)) order by p.oid""")
    variants = []
    for oid, name, source, result, types in itertools.chain(procs, variants):
        if oid in ("1386", "2059"):            # age(x) depends on today
            continue
        types = types.split(",") if types else []
        if any(t in ANY for t in types):
            variants += [(oid, name, source, ANY.get(result, result).format(e), ",".join(ANY.get(t, t).format(e) for t in types)) for e in ("int4", "text")]
            continue
        if not types or any(t not in SAMPLES for t in types) or result not in SAMPLES or source in SKIP or name.startswith(("pg_", "has_", "hash", "ts_")) or name.endswith("_description"):
            continue
        lanes = [list(SAMPLES[t]) for t in types]
        if source.startswith("extract_") or source.endswith(("_part", "_trunc", "_trunc_zone")) and types[0] == "text":
            lanes[0] = UNITS
            if source == "timestamptz_trunc_zone":
                lanes[2] = ZONES
        elif source.endswith("_zone"):
            lanes[0] = ZONES
        elif source in ("repeat", "lpad", "rpad"):
            lanes[1] = ["0", "1", "5", "-1", "12"]
        elif "regex" in source and types[-1] == "text" and len(types) > 2 and source.split("_")[-1] not in ("noopt",):
            lanes[-1] = ["", "i", "g", "x", "z", "n"]
        elif source in ("chr",):
            lanes[0] = ["0", "65", "233", "8364", "128512", "-1", "1114112", "55296"]
        elif source in ("numeric_fac",):
            lanes[0] = ["0", "1", "20", "30", "-1"]
        elif source.endswith("_to_char"):
            lanes[1] = DATE_PICTURES if source[:4] in ("time", "inte") else NUMBER_PICTURES
        elif source in READ_PICTURES:
            pairs = READ_PICTURES[source]
            rows += [[oid, source, result, ",".join(types), *pair] for pair in pairs]
            expressions += [f"case when x is null then '\\N' else format('%s', x) end from (select pg_catalog.{name}({common.quote(a)}, {common.quote(b)}) as x) q"
                            for a, b in pairs]
            continue
        elif source.startswith("make_"):
            lanes = [["2020", "1", "0", "-5", "13", "59", "24"] if t == "int4" else ["0", "59.5", "60", "61", "NaN", "1.25"] if t == "float8" else ZONES for t in types]
        elif source in ("varchar", "bpchar", "numeric", "interval_scale", "timestamp_scale", "timestamptz_scale", "time_scale", "timetz_scale"):
            lanes[1] = {"varchar": ["7", "5", "-1"], "bpchar": ["7", "10", "-1"], "numeric": ["327686", "65542", "-1"],
                        "interval_scale": ["2147418114", "67174399"]}.get(source, ["0", "3", "6"])
        product = list(itertools.product(*lanes))
        if source == "timestamp_mi":  # where 64 bits do not hold the difference, PostgreSQL 15 wraps around
            product = [p for p in product if not (p[0][:6] == "294276" and "BC" in p[1] or p[1][:6] == "294276" and "BC" in p[0])]
        limit = 60 if len(types) < 2 or lanes[0] is UNITS else 24
        for arguments in product if len(product) <= limit else rng.sample(product, limit):
            call = f"pg_catalog.\"{name}\"(" + ", ".join(f"{common.quote(a)}::pg_catalog.\"{t}\"" for a, t in zip(arguments, types)) + ")"
            rows.append([oid, source, result, ",".join(types), *arguments])
            expressions.append(f"case when x is null then '\\N' else format('%s', x) end from (select {call} as x) q")
    results = common.attempt(expressions, "set timezone = 'PST8PDT';")
    return [row + [r] for row, r in zip(rows, results) if "not unique" not in r and "does not exist" not in r]


def aggregates(rng):
    rows, expressions = [], []
    procs = psql("""select p.oid, proname, (select typname from pg_type r where r.oid = prorettype),
        coalesce((select string_agg(t.typname, ',' order by o) from unnest(p.proargtypes) with ordinality a(x, o) join pg_type t on t.oid = x), '')
        from pg_proc p join pg_aggregate a on a.aggfnoid = p.oid where aggkind = 'n' order by p.oid""")
    for oid, name, result, types in procs:
        types = types.split(",") if types else []
        samples = dict(SAMPLES, any=SAMPLES["int4"])
        if any(t not in samples for t in types):
            continue
        for count in (0, 1, 2, 5, 9):
            finite = rng.random() < 0.7
            table = []
            for _ in range(count):
                values = [rng.choice([v for v in samples[t] if not (finite and ("inf" in v.lower() or v == "NaN" or "e308" in v or "e38" in v))] + ["NULL"])
                          for t in types]
                table.append(values)
            casts = [("int4" if t == "any" else t) for t in types]
            if types:
                selects = [" select " + ", ".join(("null" if v == "NULL" else common.quote(v)) + f"::pg_catalog.\"{t}\" as c{i}"
                                                   for i, (v, t) in enumerate(zip(values, casts))) for values in table]
                empty = "select " + ", ".join(f"null::pg_catalog.\"{t}\" as c{i}" for i, t in enumerate(casts)) + " where false"
                source = " union all ".join([empty, *selects])
                call = f"{name}({', '.join(f'c{i}' for i in range(len(types)))})"
            else:
                source, call = f"select from generate_series(1, {count})", f"{name}(*)"
            rows.append([oid, result, ",".join(casts), ";".join("|".join(v) for v in table) if types else str(count)])
            expressions.append(f"case when x is null then '\\N' else format('%s', x) end from (select {call} as x from ({source}) t) q")
    results = common.attempt(expressions)
    return [row + [r] for row, r in zip(rows, results)]


if __name__ == "__main__":
    common.HERE = HERE
    if "--aggregates" not in sys.argv:
        common.write("functions.facts", functions(random.Random(1)))
    common.write("aggregates.facts", aggregates(random.Random(2)))
