"""TPC-H's lineitem, made here: columns, types and value ranges of the specification's section 4.2,
from a fixed seed, so that every run loads the same bytes. The random streams are not dbgen's, hence
rows differ from dbgen's and results are not TPC results."""

import datetime
import pathlib
import random

TABLE = """create table lineitem (
  l_orderkey bigint not null, l_partkey integer not null, l_suppkey integer not null,
  l_linenumber integer not null, l_quantity numeric(15,2) not null,
  l_extendedprice numeric(15,2) not null, l_discount numeric(15,2) not null,
  l_tax numeric(15,2) not null, l_returnflag char(1) not null, l_linestatus char(1) not null,
  l_shipdate date not null, l_commitdate date not null, l_receiptdate date not null,
  l_shipinstruct char(25) not null, l_shipmode char(10) not null,
  l_comment varchar(44) not null)"""

ORDERS_PER_FACTOR = 1_500_000
FIRST_DAY, LAST_DAY = datetime.date(1992, 1, 1), datetime.date(1998, 8, 2)
CURRENT_DAY = (datetime.date(1995, 6, 17) - FIRST_DAY).days
INSTRUCTIONS = ("DELIVER IN PERSON", "COLLECT COD", "NONE", "TAKE BACK RETURN")
MODES = ("REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB")
WORDS = (
    "furiously slyly carefully blithely quickly express regular final ironic pending silent even "
    "special bold unusual packages requests accounts deposits foxes ideas theodolites pinto beans "
    "instructions dependencies excuses platelets asymptotes courts dolphins multipliers sauternes "
    "warthogs frets dinos attainments somas sheaves frays sleep wake are cajole haggle nag use "
    "boost affix detect integrate maintain nod was lose sublate solve thrash promise engage hinder "
    "print above according across after against along among around at before between into"
).split()


def lineitem_rows(factor: float):
    """The lines of the file, without their newline."""
    draw = random.Random(20)
    below = draw.random
    days = [(FIRST_DAY + datetime.timedelta(n)).isoformat() for n in range(2600)]
    comments = [" ".join(draw.choices(WORDS, k=6))[: draw.randint(10, 43)] for _ in range(50_000)]
    parts, suppliers = max(1, int(200_000 * factor)), max(1, int(10_000 * factor))
    last_day = (LAST_DAY - FIRST_DAY).days
    for order in range(int(ORDERS_PER_FACTOR * factor)):
        key = (order // 8) * 32 + order % 8 + 1  # the first 8 of every 32 keys, as specified
        ordered = int(below() * (last_day - 151))
        for line in range(1, int(below() * 7) + 2):
            part = int(below() * parts) + 1
            supplier = (part + line * (suppliers // 4 + 1)) % suppliers + 1
            quantity = int(below() * 50) + 1
            cents = quantity * (90_000 + (part // 10) % 20_001 + 100 * (part % 1_000))
            shipped = ordered + int(below() * 121) + 1
            committed = ordered + int(below() * 61) + 30
            received = shipped + int(below() * 30) + 1
            flag = ("R" if below() < 0.5 else "A") if received <= CURRENT_DAY else "N"
            status = "O" if shipped > CURRENT_DAY else "F"
            yield (
                f"{key}|{part}|{supplier}|{line}|{quantity}.00|{cents // 100}.{cents % 100:02}|"
                f"0.{int(below() * 11):02}|0.{int(below() * 9):02}|{flag}|{status}|{days[shipped]}|"
                f"{days[committed]}|{days[received]}|{INSTRUCTIONS[int(below() * 4)]}|"
                f"{MODES[int(below() * 7)]}|{comments[int(below() * 50_000)].strip()}"
            )


def lineitem_file(folder: pathlib.Path, factor: float) -> pathlib.Path:
    """Makes the file once; later runs find it."""
    path = folder / f"lineitem_{factor}.tbl"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        with partial.open("w") as out:
            chunk = []
            for row in lineitem_rows(factor):
                chunk.append(row)
                if len(chunk) == 10_000:
                    out.write("\n".join(chunk) + "\n")
                    chunk = []
            out.write("\n".join(chunk) + ("\n" if chunk else ""))
        partial.rename(path)
    return path
