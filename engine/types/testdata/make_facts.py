#!/usr/bin/env python3
"""Writes the *.facts tables of this folder from a running PostgreSQL 15, reached through psql's usual PG* variables.

The tables are committed; the tests need neither this script nor PostgreSQL. A line is tab-separated; text is escaped as
in COPY. An error is written as "!SQLSTATE message" and, if there is one, " | detail".

  io.facts       type, typmod, text in, text out
  binary.facts   type, text in, binary form in hex
  numeric.facts  operation, operands..., result
  regex.facts    pattern, flags, text, "first character, character after, groups" of the first match
  date_time.facts  DateStyle, IntervalStyle, type, typmod, text in, text out; the zone is PST8PDT
"""
import itertools
import pathlib
import random
import re
import subprocess

HERE = pathlib.Path(__file__).resolve().parent

SETUP = r"""
set extra_float_digits = 1; set client_min_messages = error; set timezone = 'PST8PDT';
create or replace function pg_temp.attempt(expression text) returns text language plpgsql as $$
declare result text; message text; detail text; code text;
begin
  execute 'select ' || expression into result;
  return coalesce(result, '\N');
exception when others then
  get stacked diagnostics message = message_text, detail = pg_exception_detail, code = returned_sqlstate;
  return '!' || code || ' ' || message || case when detail <> '' then ' | ' || detail else '' end;
end $$;
"""


def quote(text):
    return "'" + text.replace("'", "''") + "'"


def escape(text):
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def attempt(expressions, setup=""):
    """The value or error of each SQL expression (a text expression), in order."""
    script = SETUP + setup + "".join(f"select pg_temp.attempt({quote(e)});\n" for e in expressions)
    run = subprocess.run(["psql", "-XqAt0", "-v", "ON_ERROR_STOP=0"], input=script, capture_output=True, text=True)
    results = run.stdout.split("\0")[:-1]
    if len(results) != len(expressions):
        raise SystemExit(f"{len(expressions)} expressions, {len(results)} results\n{run.stderr[:2000]}")
    return results


def write(name, rows):
    lines = ["\t".join(escape(field) for field in row) for row in rows]
    lines = [line for line in lines if len(line) < 3000]
    (HERE / name).write_text("\n".join(lines) + "\n")


IO = {
    "int2": ["0", " 42 ", "-32768", "32767", "32768", "-32769", "", " ", "abc", "1 2", "+7", "--1", "1.5", "99999x", "- 1"],
    "int4": ["0", "2147483647", "2147483648", "-2147483648", "-2147483649", "12a", "\t5\n", "0x1F", "1e3"],
    "int8": ["9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "asdf", "-"],
    "oid": ["0", "4294967295", "4294967296", "-1", "-2147483648", "-2147483649", "x", "", "5 d", " 7 "],
    "bool": ["t", "true", "TRUE", " yes ", "y", "on", "1", "f", "false", "n", "no", "of", "off", "o", "0", "", "tru", "truex",
             "10", "nay", "ON"],
    "float8": ["0", "-0", "1", "1.5", "1e15", "1e14", "123456789012345678", "0.0001", "0.00001", "1e-5", "NaN", "nan",
               "Infinity", "-inf", "inf", "+Infinity", "1e308", "1e309", "4.9e-324", "1e-400", " 3.14 ", "", "xyz", "5.0.0",
               "5 . 0", "1.7976931348623157e308", "0.1", "0.30000000000000004", "100000000000000000000", "-1e-7", "123456.789",
               "1.2345678901234567e+17", ".5", "5.", "1e", "nanx", "infinit", "2.2250738585072014e-308"],
    "float4": ["0", "1.5", "1e5", "1e6", "123456", "1234567", "0.0001", "0.00001", "3.4028235e38", "1e39", "1e-46", "1e-45",
               "NaN", "-Infinity", "16777216", "0.1", "abc", "-0"],
    "\"char\"": ["", "a", "ab", "\\101", "\\377", "\\4"],
    "text": ["", "abc", "héllo", "a b\tc"],
    "name": ["abc", "x" * 70, "é" * 40],
    "bytea": ["", "\\x", "\\xDEADbeef", "\\x de ad", "\\x1", "\\x1g", "abc", "a\\\\b", "a\\001b", "a\\b", "a\\400"],
    "uuid": ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
             "{a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11}", "a0eebc999c0b4ef8bb6d6bb9bd380a11",
             "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1", "{a0eebc99", "x", "",
             "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11 "],
    "tid": ["(0,1)", "(4294967295,65535)", "(4294967296,1)", "(1,65536)", "1,2", "(1,2", " (3,4)"],
    "pg_lsn": ["0/0", "FFFFFFFF/FFFFFFFF", "G/0", "1", "/1", "1/", "123456789/0", "16/b374d848"],
    "_int4": ["{}", "{1,2,3}", " { 1 , 2 } ", "{1,NULL,3}", "{{1,2},{3,4}}", "{{1,2},{3}}", "[2:4]={1,2,3}", "[0:1][3:4]={{1,2},{3,4}}", "{1,2",
              "1,2", "{1,,2}", "{1,}", "{a}", "[1:2]={1}", "{1} x", "{}}", "", "{{}}", "{{{{{{{1}}}}}}}", "[3:2]={}", "{1,{2}}", "{\"1\",null}"],
    "_text": ["{}", "{a,b c, d }", "{\"\",\"a b\",\"c,d\",\"e\\\"f\",\"NULL\",NULL}", "{\\a,b\\,c}", "{a b}", "{{\"x\"},{y}}", "{\"a\"b}", "{é,\" \"}", "{\"abc}"],
    "_numeric": ["{1.10,NaN}"], "_interval": ["{1 day,02:00}"], "_timestamp": ["{2000-01-01,\"2000-01-01 00:00:01\"}"], "_bool": ["{t,f}"],
    "int2vector": ["", "1 2 3", " 4 "], "oidvector": ["", "23 25"],
    "numeric": ["0", "-0", "0.00", "1", "-1.50", "1e10", "1.5e-5", "12345678901234567890.123456789", "NaN", "nan", "Infinity",
                "-inf", "+inf", " 5 ", "", ".", "1.", ".5", "5e", "1 2", "1.2.3", "abc", "1e131071", "1e131072", "1e-16383",
                "1e-16384", "0.0000000000000000000000000000001", "9999.9999", "10000", "0.00010000", "1e2147483647", "infinit",
                "00012.3400", "-.0", "1e+3", "--1"],
}
TYPMODS = {
    "numeric(5,2)": ["123.456", "999.994", "999.995", "-1000", "NaN", "Infinity", "0.001", "0"],
    "numeric(3,5)": ["0.00999", "0.01", "0.0099949", "0.009995"],
    "numeric(3,-3)": ["999400", "999500", "1234", "499", "500"],
    "numeric(4)": ["9999.4", "9999.5", "1.5", "2.5"],
    "varchar(3)": ["abc", "abcd", "abc  ", "éàü", "éàüx", ""],
    "char(3)": ["a", "abc", "abc ", "abcd", "é", ""],
}
NUMBERS = ["0", "1", "-1", "2", "-3.7", "0.5", "1.25", "10", "100.00", "9999", "10000", "10001", "12345.6789", "-0.0001",
           "0.00000000012345", "99999999999999999999", "1e30", "-1e-30", "3.14159265358979323846", "4.2", "7", "NaN",
           "Infinity", "-Infinity", "123456789012345678901234567890.12345678901234567890"]
BINARY = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "%": "modulo"}
NAMED2 = ["div", "gcd", "lcm", "power", "log"]
UNARY = ["sqrt", "ln", "exp", "ceil", "floor", "abs", "sign", "scale", "min_scale", "trim_scale"]


def numeric_facts(rng):
    rows, expressions = [], []

    def fact(operation, expression, *operands):
        rows.append([operation, *operands])
        expressions.append(f"({expression})::text")

    extra = [f"{rng.choice(['', '-'])}{rng.randrange(10 ** rng.randrange(1, 40))}.{rng.randrange(10 ** rng.randrange(1, 20))}"
             for _ in range(30)]
    pairs = list(itertools.product(NUMBERS, repeat=2)) + [(rng.choice(extra), rng.choice(extra)) for _ in range(60)]
    for a, b in pairs:
        for symbol, operation in BINARY.items():
            fact(operation, f"'{a}'::numeric {symbol} '{b}'::numeric", a, b)
        for operation in NAMED2:
            fact(operation, f"{operation}('{a}'::numeric, '{b}'::numeric)", a, b)
        fact("compare", f"numeric_cmp('{a}', '{b}')", a, b)
    for a in NUMBERS + extra:
        for operation in UNARY:
            fact(operation, f"{operation}('{a}'::numeric)", a)
        for places in (-5, -2, -1, 0, 1, 2, 5, 10):
            fact("round", f"round('{a}'::numeric, {places})", a, str(places))
            fact("trunc", f"trunc('{a}'::numeric, {places})", a, str(places))
        for target in ("int2", "int4", "int8", "float4", "float8"):
            fact(target, f"'{a}'::numeric::{target}", a)
    for a, b in [("1.0000001", "1000"), ("2", "0.5"), ("2", "-20"), ("1.5", "300.25"), ("0.0001", "2.5"), ("10", "-1000"),
                 ("99999", "999.5"), ("0.1", "999.9"), ("3", "10000"), ("1.000000000123", "-2147483648"), ("-2", "3"),
                 ("-2", "-3"), ("-2", "4.0"), ("12", "70000"), ("0.9999", "12345.6"), ("5", "6.02e3"), ("2", "131000")]:
        fact("power", f"power('{a}'::numeric, '{b}'::numeric)", a, b)
    for a in ["0.0001", "1e-100", "1e100", "0.99999999", "1.00000001", "2e-10", "5999", "-5999", "6000", "-6000", "1234.5"]:
        for operation in ("ln", "exp", "sqrt"):
            fact(operation, f"{operation}('{a}'::numeric)", a)
    for row, result in zip(rows, attempt(expressions)):
        row.append(result)
    return rows


DATES = """1957-04-09|January 8, 1999|1999-01-08|1999-01-18|1/8/1999|1/18/1999|18/1/1999|01/02/03|19990108|990108|1999.008|J2451187|
January 8, 99 BC|99-Jan-08|1999-Jan-08|08-Jan-99|08-Jan-1999|Jan-08-99|Jan-08-1999|99-08-Jan|1999-08-Jan|99 Jan 08|08 Jan 99|
Jan 08 1999|99 08 Jan|99-01-08|08-01-99|01-08-99|2000-02-29|2001-02-29|1900-02-29|4714-11-24 BC|4714-11-23 BC|5874897-12-31|
5874898-01-01|infinity|-infinity|epoch|1997-02-30|2000-13-01|2000-00-01|2000-01-00|0000-01-01|1-1-1|2020-1-5|J0|xyz|
|10.12.2020|2040-04-10 BC|yesterdayx|20200101 123456|2020W01|1999-123|y2001m02d04|Monday 5 Oct 2020""".replace("\n", "").split("|")
TIMES = """00:00|01:00|02:03 PST|11:59 EDT|23:59|23:59:59.99|2003-03-07 15:36:39 America/New_York|23:59:60|23:59:60.01|24:00:00|24:00:01|
23:59:61|25:00:00|12:34 AM|12:34 PM|1:02 am|13:00 pm|040506|040506.789|0405|T040506|15:36:39 America/New_York|15:36:39 m2|00:00 Z|
01:00+2|01:00-03:30|01:00+15:59:59|01:00+16:00|allballs|4:5|4:5:6.7654321|12:00:00.9999999|2003-07-07 15:36:39 America/New_York|z|
10:00 GMT-3|12:34:56.123456789|1:2:3 +5|120000+01|xx""".replace("\n", "").split("|")
MOMENTS = """1997-02-10 17:32:01|19970210 173201|Mon Feb 10 17:32:01 1997 PST|Mon Feb 10 17:32:01.4 1997|Feb 10 17:32:01 1997 -0800|
1997-02-10 17:32:01-07|2000-03-15 08:14:01 GMT+8|2000-03-15 13:14:02 EDT|20011225T040506|2001-12-25T04:05:06.789+01:30|
2001-12-25T04:05:06Z|20011225 040506.789 -08|Jul 4 1776 10:00|2011-03-27 02:30 Europe/Berlin|2011-10-30 02:30 Europe/Berlin|
2018-03-11 02:30|2018-11-04 01:30|2018-11-04 01:30 PST|2018-11-04 01:30 PDT|1883-11-18 12:00|1850-01-01 00:00|2100-07-01 12:00|
4714-11-24 00:00 BC|4714-11-23 23:59 BC|294276-12-31 23:59:59.999999|294277-01-01|infinity|-infinity|epoch|J2452271+08|J2452271.5|
2000-01-01 00:00:00.0000005|2000-01-01 00:00:00.0000015|1999-12-31 23:59:59.9999999|2020-05-05 12:00 MSK|1990-05-05 12:00 MSK|
2020-05-05 12:00 EST DST|2020-05-05 12:00 nowhere|2020-05-05 12:00 Foo/Bar|Wed Jul 11 10:51:14 America/New_York 2001|
Wed Jul 11 10:51:14 GMT-4 2001|97/02/10 17:32:01 UTC|10/13/97 5:00 pm|2020-01-01 24:00|2020-01-01 12:61|1/2/3 4:5:6 am +3|
2001-02-03 04:05:06 BC|12/31/9999 1:00|2020-05-05 12:00 LMT|2000-01-01 america/new_york|2000-01-01 12:00 <+03>-3|2020-06-01 BST|
20200101T12:34|Sat Mar 12 23:58:48 1000 IST|2011-03-27 00:00:00 Europe/Moscow|2014-10-26 01:00:00 Europe/Moscow""".replace("\n", "").split("|")
INTERVALS = """1 year 2 mons 3 days 04:05:06.789|01:00|+02:00|-05:00|-08:00|10 day|34 year|3 months|-14 seconds ago|6 years|5 months 12 hours|
1 day 2 hours 3 minutes 4 seconds|1 +2:03|1-2|-1-2|1-2 3 4:05:06|+1 -1:00:00|-1 +1:00|1.5 weeks|1.5 days|1.5 months|1.5 years|0.1 month|
1 century 2 decades|2 millennia|@ 1 minute|@ 30 eons ago|1:2:3.123456789|1 12:59:10|1 12:59:59.9999999|P1Y2M3DT4H5M6S|P1Y|PT1.5H|
P0002-03-04T05:06:07|P00010203T040506|P1Y2M3D|P-1Y-2M|PT-0.5S|P1.5W|P|PT|P1|P1YX|1 mon -1 day|-1 mon +1 day -1:00|1 day ago|
2147483647 years|2147483648 months|-2147483648 days|9223372036854775807 us|9223372036854775808 us|1 yr 2 mins 3 secs 4 ms 5 us|0|1|
1 s 2 s|hours|1 microsecond|1.5 ms|-1.5 ms|100:00:00|1 day -00:00:01|-0:00:00.5|0 days|abc||1e5 days|.5 hours|-.5 day|-23:45:06 ago|
infinity|4 millenniums 5 centuries 4 decades 1 year 4 months 4 days 17 minutes 31 seconds|1 quarter|365 days 25 hours""".replace("\n", "").split("|")


def date_time_facts():
    rows = []
    styles = [("ISO, MDY", "postgres"), ("ISO, DMY", "iso_8601"), ("ISO, YMD", "sql_standard"), ("SQL, MDY", "postgres_verbose"),
              ("SQL, DMY", "postgres"), ("Postgres, MDY", "postgres"), ("Postgres, DMY", "sql_standard"), ("German, DMY", "iso_8601")]
    for number, (date_style, interval_style) in enumerate(styles):
        cases = [("date", t) for t in DATES + MOMENTS] + [("time", t) for t in TIMES]
        cases += [("timestamp", t) for t in MOMENTS + DATES] + [("timestamptz", t) for t in MOMENTS + DATES]
        cases += [("interval", t) for t in INTERVALS]
        if number == 0:
            # The displacement of a bare time in a zone with daylight saving time depends on today.
            cases += [("timetz", t) for t in TIMES if any(c in t for c in "+Z") or "-03" in t or "EDT" in t or "PST" in t]
        if number > 2:
            cases = [c for c in cases if c[0] != "time"]
        setup = f"set datestyle = '{date_style}'; set intervalstyle = '{interval_style}';"
        results = attempt([f"{quote(t)}::{kind}" for kind, t in cases], setup)
        rows += [(date_style, interval_style, kind, "-1", t, r) for (kind, t), r in zip(cases, results)]
    ranges = ["interval(0)", "interval(3)", "interval year", "interval month", "interval year to month", "interval day",
              "interval day to hour", "interval day to minute", "interval day to second(2)", "interval hour", "interval hour to minute",
              "interval hour to second", "interval minute", "interval minute to second", "interval second(1)", "timestamp(0)", "timestamp(3)",
              "time(2)", "timestamptz(1)"]
    for spelled in ranges:
        kind = re.match("[a-z]+", spelled)[0]
        typmod = typmod_of(spelled)
        texts = {"interval": ["1", "1.75", "1-2", "2:03", "2:03.5", "1 2:03:04.5678", "1 year 2 mons 3 days 04:05:06.789", "-1 -2:03:04.56"],
                 "timestamp": MOMENTS[:8], "timestamptz": MOMENTS[:8], "time": TIMES[:10] + ["12:34:56.987654"]}[kind]
        results = attempt([f"interval_out(interval_in({quote(t)}::cstring, 0, {typmod}))" if kind == "interval"
                           else f"{kind}_out({kind}_in({quote(t)}::cstring, 0, {typmod}))" for t in texts])
        rows += [("ISO, MDY", "postgres", kind, str(typmod), t, r) for t, r in zip(texts, results)]
    return rows


PATTERNS = [
    "abc", "a.c", "^abc$", "a*", "a+b", "(a)(b)?c", "a|ab|abc", "(a|ab)(c|bcd)(d*)", "(ab|a)(bc)?", "x*?y", "a{2,3}", "a{2,3}?", "a{2}", "(a*)(ab)*(b*)",
    "(a*?)(ab)*(b*)", "[a-c]+", "[^a-c]+", "[[:digit:]]+", "[[:alpha:]_]\\w*", "\\d+", "\\D+", "\\s", "\\S+", "\\w+", "\\W", "(\\w+)\\s+(\\w+)", "(.)\\1",
    "(a|b)*\\1", "^(pg_class)$", "^(a.*)$", "\\mfoo\\M", "\\yfoo\\y", "foo\\Y", "[[:<:]]foo[[:>:]]", "foo(?=bar)", "foo(?!bar)", "(?<=foo)bar", "(?<!foo)bar",
    "(?:ab)+", "((a)|(b))+", "(a?)*", "(a*)+", "()", "(|a)+", "a||b", "[]a]+", "[a-]+", "[a\\]b]+", "\\.", "\\x41", "\\u0042", "\\101", "\\t", "a\\nb", "(?i)ABC", "(?x) a b # c",
    "***=a.c", "***:a.c", "(?n)^b", "$", "^", "b$", "a(?#comment)b", "(", ")", "a)", "[a", "a**", "*a", "a{1", "a{2,1}", "a{256}", "\\", "\\q", "[b-a]", "[[:foo:]]",
    "(?z)a", "\\2(a)", "(a)\\2", "x{0}y", "(ab){2,}", "[[.a.]]b", "[[=a=]]b", "é+", "[à-ÿ]+", "(\\d{1,3})\\.(\\d{1,3})", "(.*)(\\d+)", "(.*?)(\\d+)", "(.*?)(\\d+)$",
    "^.*?(x)", "(a+|b+)*c", "[0-9]{3}-[0-9]{4}", "(foo|foobar)(bar|quux)?", "(week|wee)(night|knights)", "\\Aabc\\Z", "a\\M", "(?=a)b*", "(?w)^b", "(?p)a.b", "a.b", "(?s)a.b",
    "^(?:select|insert)\\y", "([^,]*),([^,]*)", "(a(b(c)))", "((a)(b))*", "(x)?(y)?", "^x?$", "(a|b|c|d|e)f", "z*|y", "\\Ba", "a{,3}", "a{x", "[^\\d]+", "[\\w.]+@[\\w.]+"]
TEXTS = ["", "abc", "ABC", "aaa", "aab", "abcd", "ab", "abab", "aabb", "xxy", "foo bar", "foobar", "a foo b", "a\nb\nc", "pg_class", "12.34", "call 555-1234 now", "abcabc", "aa bb",
         "ééa", "weeknights", "user@example.com, x", "a.c", "b", "abbbc", "xyz 12 q 345", "select 1"]


def regex_facts():
    rows = [(p, f, t) for p in PATTERNS for t in TEXTS for f in ([""] if t != "ABC" else ["", "i"])]
    rows += [(p, f, "a\nb\nc") for p in ["^b", "b$", "a.b", "[^a]+", "^.*$", "\\Ab", "a\\nb"] for f in ("n", "p", "w", "s", "m")]
    rows += [(p, f, t) for p in ["a.c", "a b", "a#b", "(a)", "a{2}"] for f in ("q", "x") for t in ("a.c", "ab", "a b", "aa", "(a)")]
    results = attempt([f"regexp_instr({quote(t)}, {quote(p)}, 1, 1, 0, {quote(f)}) || ',' || regexp_instr({quote(t)}, {quote(p)}, 1, 1, 1, {quote(f)})"
                       f" || ',' || coalesce(regexp_match({quote(t)}, {quote(p)}, {quote(f)})::text, 'none')" for p, f, t in rows])
    return [row + (r,) for row, r in zip(rows, results)]


def main():
    io = [(t, "-1", v) for t, values in IO.items() for v in values]
    results = attempt([f"boolout({quote(v)}::bool)" if t == "bool" else f"{quote(v)}::{t}" for t, _, v in io])
    for spelled, values in TYPMODS.items():
        name = {"char": "bpchar"}.get(spelled.split("(")[0], spelled.split("(")[0])
        typmod = typmod_of(spelled)
        # An input function is called with the typmod itself: a cast would truncate.
        io += [(name, str(typmod), v) for v in values]
        outs = attempt([f"textin({fn(name)}out({fn(name)}in({quote(v)}::cstring, 0, {typmod})))::text" for v in values])
        results += outs
    write("io.facts", [(t.strip('"'), m, v, r) for (t, m, v), r in zip(io, results)])

    binary = [(t, v) for t, values in IO.items() for v in values if t not in ("name", "text") and not t.startswith(("_", "int2v", "oidv"))]
    send = {"float8": "float8send", "float4": "float4send", "\"char\"": "charsend", "tid": "tidsend", "pg_lsn": "pg_lsn_send",
            "bytea": "byteasend"}
    sent = attempt([f"encode({send.get(t, t + ('_send' if t in ('numeric', 'uuid') else 'send'))}({quote(v)}::{t}), 'hex')"
                    for t, v in binary])
    write("binary.facts", [(t.strip('"'), v, r) for (t, v), r in zip(binary, sent) if not r.startswith("!")])
    write("regex.facts", regex_facts())
    write("date_time.facts", date_time_facts())
    write("numeric.facts", numeric_facts(random.Random(1)))


def fn(type_name):
    return {"numeric": "numeric_"}.get(type_name, type_name)


def typmod_of(spelled):
    out = subprocess.run(["psql", "-XqAt"], input=f"create temp table t (c {spelled}); select atttypmod from pg_attribute"
                         " where attrelid = 't'::regclass and attnum = 1;", capture_output=True, text=True).stdout
    return int(out)


if __name__ == "__main__":
    main()
