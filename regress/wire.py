#!/usr/bin/env python3
"""regress/wire.py: scripts of protocol messages, answered by the server, held against PostgreSQL.

A script is one message a line; what comes back is printed message by message after each S (Sync)
or Q (simple Query). Words of a line are divided by `|`.

    Q sql                   simple query
    P name|sql              Parse          B portal|name|value|...    Bind, all text; \\N is NULL
    D S|name, D P|name      Describe       E portal|rows              Execute, 0: all
    C S|name, C P|name      Close          S                          Sync
    connect                 another connection takes over from here
"""

import argparse
import pathlib
import struct
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
from pgwire_client import Connection, ConnectionLost, ServerError  # noqa: E402
from pgwire_client import column_names, error_fields, row_values  # noqa: E402
from servers import Postgres, Server  # noqa: E402

NAMES = {b"1": "ParseComplete", b"2": "BindComplete", b"3": "CloseComplete", b"n": "NoData"}
NAMES |= {b"s": "PortalSuspended", b"I": "EmptyQueryResponse"}


def shown(kind: bytes, body: bytes) -> str | None:
    if kind == b"T":
        return "row " + " | ".join(column_names(body))
    if kind == b"D":
        return "  " + " | ".join("NULL" if v is None else v for v in row_values(body))
    if kind == b"C":
        return "done " + body[:-1].decode()
    if kind in (b"E", b"N"):
        fields = error_fields(body)
        return f"{fields['S']} {fields['C']} {fields['M']}"
    if kind == b"t":
        return "parameters " + str(struct.unpack("!h", body[:2])[0])
    if kind == b"Z":
        return "ready " + body.decode()
    return None if kind in (b"S", b"K") else NAMES.get(kind, repr(kind))


def message(line: str) -> bytes:
    kind, _, rest = line.partition(" ")
    words = rest.split("|") if kind != "Q" else [rest]
    zero = b"\0"
    if kind == "Q":
        body = rest.encode() + zero
    elif kind == "P":
        body = words[0].encode() + zero + "|".join(words[1:]).encode() + zero + b"\0\0"
    elif kind == "B":
        body = words[0].encode() + zero + words[1].encode() + zero
        body += struct.pack("!hh", 0, len(words) - 2)
        for word in words[2:]:
            data = word.encode()
            body += (
                struct.pack("!i", -1) if word == "\\N" else struct.pack("!i", len(data)) + data
            )
        body += struct.pack("!h", 0)
    elif kind in ("D", "C"):
        body = words[0].encode() + words[1].encode() + zero
    elif kind == "E":
        body = words[0].encode() + zero + struct.pack("!i", int(words[1]))
    elif kind == "S":
        body = b""
    else:
        raise ValueError(f"no such message: {line}")
    return kind.encode() + struct.pack("!i", len(body) + 4) + body


def play(script: str, port: int) -> str:
    out, pending = [], b""
    connection = Connection("127.0.0.1", port)
    for line in script.splitlines():
        out.append(line)
        if not line or line.startswith("#"):
            continue
        try:
            if line == "connect":
                connection.close()
                connection = Connection("127.0.0.1", port)
                continue
            pending += message(line)
            if line[0] not in "SQ":
                continue
            connection.write(pending)
            pending = b""
            kind = b""
            while kind != b"Z":
                kind, body = connection.receive()
                text = shown(kind, body)
                if text is not None:
                    out.append("< " + text)
        except (ConnectionLost, ServerError) as lost:
            out.append(f"< lost: {lost}")
            connection = Connection("127.0.0.1", port)
    connection.close()
    return "\n".join(out) + "\n"


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--postgres", action="store_true", help="ask a PostgreSQL 15 of its own")
    accept = "the answers are now expected: PostgreSQL's, or ours in refused*.wire"
    arguments.add_argument("--accept", action="store_true", help=accept)
    arguments.add_argument("--server-cmd", default="./orrery server --data {data} --port {port}")
    arguments.add_argument("names", nargs="*")
    options = arguments.parse_args()
    scripts = sorted((ROOT / "regress" / "wire").glob("*.wire"))
    scripts = [s for s in scripts if not options.names or s.stem in options.names]
    # What we refuse and PostgreSQL does has answers of our own.
    refused = [s for s in scripts if s.stem.startswith("refused")]
    if options.postgres:
        scripts = [s for s in scripts if s not in refused]
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        at = pathlib.Path(folder)
        at.chmod(0o755)
        if options.postgres:
            server: Server = Postgres(at / "data", at / "log", {})
        else:
            server = Server("orrery", options.server_cmd.split(), at / "data", at / "log")
        server.start()
        try:
            for script in scripts:
                answer = play(script.read_text(), server.port)
                expected = script.with_suffix(".expected")
                if options.accept and (options.postgres or script in refused):
                    expected.write_text(answer)
                same = expected.exists() and expected.read_text() == answer
                failed += not same
                print(f"{'ok  ' if same else 'FAIL'}  {script.stem}")
                if not same:
                    result = ROOT / "build" / f"{script.stem}.wire.out"
                    result.parent.mkdir(exist_ok=True)
                    result.write_text(answer)
                    print(f"      diff {expected.relative_to(ROOT)} {result.relative_to(ROOT)}")
        finally:
            server.stop()
    print(f"{len(scripts) - failed} of {len(scripts)} wire scripts pass")
    return 1 if failed or not scripts else 0


if __name__ == "__main__":
    sys.exit(main())
