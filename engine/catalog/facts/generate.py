#!/usr/bin/env python3
"""Turns the fact tables beside this script into C++ in the build folder: generate.py OUTPUT_DIRECTORY

columns.h        a namespace for each catalog: its OID and its column numbers; the OIDs of the catalogs' indexes
fact_data.cpp    each table's rows in the form a heap tuple has after its header, so that reading a fact and reading a
                 row of the catalog are the same code and loading a new database is a copy (see facts.h for the form)
"""
import pathlib
import struct
import sys

HERE = pathlib.Path(__file__).resolve().parent
ALIGNMENT = {"c": 1, "s": 2, "i": 4, "d": 8}
ACL_LETTERS = "arwdDxtXUCTcsA"

Row = dict[str, str | None]


def unescape(field: str) -> str | None:
    if field == "\\N":
        return None
    for mark, plain in (("\\t", "\t"), ("\\n", "\n"), ("\\\\", "\\")):
        field = field.replace(mark, plain)
    return field


def read_table(name: str) -> list[Row]:
    lines = (HERE / f"{name}.tsv").read_text(encoding="utf-8").splitlines()
    columns = lines[0].split("\t")
    return [dict(zip(columns, map(unescape, line.split("\t")), strict=True)) for line in lines[1:]]


TYPES = {row["oid"]: row for row in read_table("pg_type")}
ROLES = {row["rolname"]: int(row["oid"]) for row in read_table("pg_authid")}
CLASSES = read_table("pg_class")
ATTRIBUTES: dict[str, list[Row]] = {}
for attribute in read_table("pg_attribute"):
    if int(attribute["attnum"]) > 0:
        ATTRIBUTES.setdefault(attribute["attrelid"], []).append(attribute)


def align(size: int, alignment: int) -> int:
    return (size + alignment - 1) // alignment * alignment


def array_elements(text: str) -> list[str]:
    """The elements of a one-dimensional array in its text form."""
    elements, at, body = [], 0, text[1:-1]
    while at < len(body):
        element = ""
        if body[at] == '"':
            at += 1
            while body[at] != '"':
                at += body[at] == "\\"
                element += body[at]
                at += 1
            at += 1
        else:
            end = body.find(",", at)
            end = len(body) if end < 0 else end
            element, at = body[at:end], end
        elements.append(element)
        at += 1
    return elements


def encode_acl_item(text: str) -> bytes:
    grantee, rest = text.split("=")
    letters, grantor = rest.split("/")
    mode = 0
    for i, letter in enumerate(letters):
        if letter != "*":
            bit = ACL_LETTERS.index(letter)
            mode |= 1 << bit
            if letters[i + 1:i + 2] == "*":
                mode |= 1 << (bit + 16)
    return struct.pack("<III", ROLES[grantee] if grantee else 0, ROLES[grantor], mode)


def encode_array(element_type: str, elements: list[str], lower_bound: int) -> bytes:
    if not elements:
        return struct.pack("<iiI", 0, 0, int(element_type))
    data = b""
    for element in elements:
        data = data.ljust(align(len(data), ALIGNMENT[TYPES[element_type]["typalign"]]), b"\0")
        value = encode(element_type, element)
        if TYPES[element_type]["typlen"] == "-1":
            value = struct.pack("<I", (len(value) + 4) << 2) + value
        data += value
    data = data.ljust(align(len(data), ALIGNMENT[TYPES[element_type]["typalign"]]), b"\0")
    return struct.pack("<iiIii", 1, 0, int(element_type), len(elements), lower_bound) + data


def encode(type_oid: str, text: str) -> bytes:
    """A value as it is stored; of a varlena, its content without the header."""
    kind = TYPES[type_oid]
    name = kind["typname"]
    if name == "bool":
        return struct.pack("<B", text == "t")
    if name == "char":
        return text.encode()[:1] or b"\0"
    if name == "int2":
        return struct.pack("<h", int(text))
    if name == "int4":
        return struct.pack("<i", int(text))
    if name in ("oid", "regproc", "xid"):
        return struct.pack("<I", int(text))
    if name == "float4":
        return struct.pack("<f", float(text))
    if name == "name":
        return text.encode().ljust(64, b"\0")
    if name in ("text", "pg_node_tree"):
        return text.encode()
    if name == "aclitem":
        return encode_acl_item(text)
    if name in ("oidvector", "int2vector"):
        elements = text.split()
        if not elements:                  # these keep one dimension even when empty
            return struct.pack("<iiIii", 1, 0, int(kind["typelem"]), 0, 0)
        return encode_array(kind["typelem"], elements, 0)
    if kind["typcategory"] == "A":
        return encode_array(kind["typelem"], array_elements(text), 1)
    raise ValueError(f"no encoding for {name}")


def encode_row(columns: list[Row], row: Row) -> bytes:
    data, nulls = b"", []
    for column in columns:
        text = row[column["attname"]]
        nulls.append(text is None)
        if text is None:
            continue
        value = encode(column["atttypid"], text)
        alignment = ALIGNMENT[column["attalign"]]
        if column["attlen"] == "-1" and column["attstorage"] != "p" and len(value) + 1 <= 127:
            value, alignment = bytes([(len(value) + 1) << 1 | 1]) + value, 1
        elif column["attlen"] == "-1":
            value = struct.pack("<I", (len(value) + 4) << 2) + value
        data = data.ljust(align(len(data), alignment), b"\0") + value
    bitmap = b""
    if any(nulls):
        bits = sum(1 << i for i, null in enumerate(nulls) if not null)
        bitmap = bits.to_bytes((len(nulls) + 7) // 8, "little")
    start = align(8 + len(bitmap), 8)
    head = struct.pack("<HHI", start, len(bitmap), len(data)) + bitmap
    return (head.ljust(start, b"\0") + data).ljust(align(start + len(data), 8), b"\0")


ESCAPES = {byte: f"\\{byte:03o}" for byte in (*range(32), *range(127, 256))} | {ord(c): "\\" + c for c in '"\\?'}


def literal(rows: list[bytes]) -> str:
    """The rows as C string literals, a line each."""
    return "\n".join(f'"{row.decode("latin-1").translate(ESCAPES)}"' for row in rows)


def numbers(values: list[int]) -> str:
    lines, line = [], ""
    for value in values:
        piece = f"{value}, "
        if len(line) + len(piece) > 96:
            lines.append("  " + line.rstrip())
            line = ""
        line += piece
    lines.append("  " + line.rstrip())
    return "\n".join(lines)


# Orders other than by the first column, for lookups: table -> columns
ORDERS = {
    "pg_proc": "proname pronargs oid",
    "pg_type": "typname oid",
    "pg_operator": "oprname oid",
    "pg_cast": "castsource casttarget",
    "pg_amop": "amopfamily amoplefttype amoprighttype amopstrategy",
    "pg_amproc": "amprocfamily amproclefttype amprocrighttype amprocnum",
    "pg_opclass": "opcmethod opcintype oid",
}
# ... and pg_amop a second time, by operator
AMOP_BY_OPERATOR = "amopopr amoppurpose amopfamily"


def order(rows: list[Row], columns: str) -> list[int]:
    def key(i: int) -> list[tuple[int, bytes]]:
        text = [rows[i][column] for column in columns.split()]
        return [(int(t), b"") if t.lstrip("-").isdigit() else (0, t.encode()) for t in text]
    return sorted(range(len(rows)), key=key)


def constant_name(index_name: str) -> str:
    return "k" + "".join(part.capitalize() for part in index_name.split("_"))


def write_columns(out: pathlib.Path) -> None:
    lines = ["// Generated from engine/catalog/facts by generate.py.", "#pragma once", "", '#include "base/ids.h"', "",
             "namespace orrery {", ""]
    catalogs = sorted((c for c in CLASSES if c["relkind"] == "r"), key=lambda c: c["relname"])
    for catalog in catalogs:
        lines.append(f"namespace {catalog['relname']} {{")
        lines.append(f"constexpr Oid kRelation{{{catalog['oid']}}};")
        columns = ATTRIBUTES[catalog["oid"]]
        lines.append("enum Column : int16_t {")
        lines += [f"  {c['attname']} = {c['attnum']}," for c in columns]
        lines += ["};", f"constexpr int16_t kColumns = {len(columns)};", f"}}  // namespace {catalog['relname']}", ""]
    for index in sorted((c for c in CLASSES if c["relkind"] == "i" and c["relnamespace"] == "11"),
                        key=lambda c: c["relname"]):
        lines.append(f"constexpr Oid {constant_name(index['relname'])}{{{index['oid']}}};")
    lines += ["", "}  // namespace orrery"]
    (out / "columns.h").write_text("\n".join(lines) + "\n")


def write_column_descriptions(lines: list[str], columns: list[Row]) -> None:
    lines.append("constexpr FactColumn kColumns[] = {")
    offset: int | None = 0
    for c in columns:
        alignment = ALIGNMENT[c["attalign"]]
        if offset is not None:
            offset = align(offset, alignment)
        by_value = "true" if c["attbyval"] == "t" else "false"
        not_null = "true" if c["attnotnull"] == "t" else "false"
        lines.append(f"  {{\"{c['attname']}\", Oid({c['atttypid']}), {c['attlen']}, {alignment}, {by_value}, {not_null}, "
                     f"'{c['attstorage']}', {-1 if offset is None else offset}}},")
        if offset is not None:
            offset = offset + int(c["attlen"]) if c["attlen"] != "-1" and c["attnotnull"] == "t" else None
    lines.append("};")


def write_facts(out: pathlib.Path) -> None:
    lines = ["// Generated from engine/catalog/facts by generate.py.", '#include "catalog/facts.h"', "",
             "namespace orrery {", "namespace {", ""]
    tables = []
    for catalog in sorted((c for c in CLASSES if c["relkind"] == "r"), key=lambda c: int(c["oid"])):
        name, columns = catalog["relname"], ATTRIBUTES[catalog["oid"]]
        rows = read_table(name) if (HERE / f"{name}.tsv").exists() else []
        lines.append(f"namespace {name}_facts {{")
        write_column_descriptions(lines, columns)
        pieces = ["{}", "{}", "{}"]
        data_name = "nullptr"
        if rows:
            images = [encode_row(columns, row) for row in rows]
            starts = [0]
            for image in images[:-1]:
                starts.append(starts[-1] + len(image))
            lines += ["alignas(8) constexpr char kData[] =", literal(images) + ";",
                      "constexpr uint32_t kStarts[] = {", numbers(starts), "};"]
            data_name, pieces[0] = "kData", "kStarts"
            if name in ORDERS:
                lines += ["constexpr uint16_t kOrder[] = {", numbers(order(rows, ORDERS[name])), "};"]
                pieces[1] = "kOrder"
            if name == "pg_amop":
                lines += ["constexpr uint16_t kSecondOrder[] = {", numbers(order(rows, AMOP_BY_OPERATOR)), "};"]
                pieces[2] = "kSecondOrder"
        lines += [f"}}  // namespace {name}_facts", ""]
        scope = f"{name}_facts::"
        qualified = [p if p == "{}" else scope + p for p in pieces]
        data_name = data_name if data_name == "nullptr" else scope + data_name
        tables.append(f"  {{\"{name}\", Oid({catalog['oid']}), {scope}kColumns, {data_name}, " +
                      ", ".join(qualified) + "},")
    lines += ["constexpr FactTable kTables[] = {", *tables, "};", "", "}  // namespace", "",
              "std::span<const FactTable> all_fact_tables() { return kTables; }", "", "}  // namespace orrery"]
    (out / "fact_data.cpp").write_text("\n".join(lines) + "\n")


def main() -> None:
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    write_columns(out)
    write_facts(out)


if __name__ == "__main__":
    main()
