"""A small PostgreSQL client: protocol 3.0, simple and extended queries, trust, password and
SCRAM-SHA-256, on plain TCP. It reports what the server said and nothing more."""

import base64
import dataclasses
import hashlib
import hmac
import os
import socket
import struct


class ConnectionLost(Exception):
    """The connection ended before the answer was complete: the outcome is not known."""


class ServerError(Exception):
    """An ErrorResponse; `fields` by their letters, `code` the SQLSTATE."""

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__(f"{fields.get('S')}:  {fields.get('C')}  {fields.get('M')}")
        self.fields, self.code = fields, fields.get("C", "")


@dataclasses.dataclass
class Answer:
    rows: list[list[str | None]]
    columns: list[str]
    tag: str


class Connection:
    def __init__(
        self,
        host: str,
        port: int,
        user: str = "postgres",
        database: str = "postgres",
        password: str = "",
        timeout_s: float = 30,
    ) -> None:
        self.user, self.password = user, password
        self.buffer = b""
        self.parameters: dict[str, str] = {}
        self.status = b"I"
        self.socket = socket.create_connection((host, port), timeout_s)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            words = ("user", user, "database", database, "client_encoding", "UTF8")
            body = b"".join(word.encode() + b"\0" for word in words) + b"\0"
            self.write(struct.pack("!ii", len(body) + 8, 196608) + body)
            self.authenticate()
        except BaseException:
            self.socket.close()
            raise

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *unused) -> None:
        self.close()

    def close(self) -> None:
        try:
            self.socket.sendall(b"X\0\0\0\4")
        except OSError:
            pass
        self.socket.close()

    def write(self, data: bytes) -> None:
        try:
            self.socket.sendall(data)
        except OSError as lost:
            raise ConnectionLost(str(lost)) from lost

    def send(self, kind: bytes, body: bytes) -> None:
        self.write(kind + struct.pack("!i", len(body) + 4) + body)

    def fill(self, count: int) -> None:
        while len(self.buffer) < count:
            try:
                piece = self.socket.recv(65536)
            except OSError as lost:
                raise ConnectionLost(str(lost)) from lost
            if not piece:
                raise ConnectionLost("the server closed the connection")
            self.buffer += piece

    def receive(self) -> tuple[bytes, bytes]:
        self.fill(5)
        kind, length = self.buffer[:1], struct.unpack("!i", self.buffer[1:5])[0]
        self.fill(length + 1)
        body, self.buffer = self.buffer[5 : length + 1], self.buffer[length + 1 :]
        return kind, body

    def authenticate(self) -> None:
        scram = None
        while True:
            kind, body = self.receive()
            if kind == b"E":
                raise ServerError(error_fields(body))
            if kind == b"S":
                name, value = body.split(b"\0")[:2]
                self.parameters[name.decode()] = value.decode()
            elif kind == b"Z":
                self.status = body
                return
            elif kind == b"R":
                code = struct.unpack("!i", body[:4])[0]
                if code == 3:
                    self.send(b"p", self.password.encode() + b"\0")
                elif code == 10:
                    scram = Scram(self.password)
                    first = scram.first()
                    name = b"SCRAM-SHA-256\0"
                    self.send(b"p", name + struct.pack("!i", len(first)) + first)
                elif code == 11:
                    self.send(b"p", scram.final(body[4:]))
                elif code == 12:
                    scram.verify(body[4:])
                elif code != 0:
                    raise ConnectionLost(f"authentication {code} is not known here")

    def query(self, sql: str) -> Answer:
        """Simple protocol. The answer of the last statement; raises its error when ready again."""
        self.send(b"Q", sql.encode() + b"\0")
        return self.answer()

    def execute(self, sql: str, *values: str | None) -> Answer:
        """Extended protocol: parse, bind (text), describe, execute, sync."""
        bind = b"\0\0" + struct.pack("!hh", 0, len(values))
        for value in values:
            data = None if value is None else value.encode()
            bind += struct.pack("!i", -1) if data is None else struct.pack("!i", len(data)) + data
        bind += struct.pack("!h", 0)
        parts = ((b"P", b"\0" + sql.encode() + b"\0\0\0"), (b"B", bind), (b"D", b"P\0"))
        parts += ((b"E", b"\0\0\0\0\0"), (b"S", b""))
        self.write(b"".join(k + struct.pack("!i", len(b) + 4) + b for k, b in parts))
        return self.answer()

    def answer(self) -> Answer:
        answer, error = Answer([], [], ""), None
        while True:
            kind, body = self.receive()
            if kind == b"T":
                answer = Answer([], column_names(body), "")
            elif kind == b"D":
                answer.rows.append(row_values(body))
            elif kind == b"C":
                answer.tag = body[:-1].decode()
            elif kind == b"E":
                error = error or ServerError(error_fields(body))
                if error.fields.get("S") in ("FATAL", "PANIC"):
                    raise error
            elif kind == b"G":
                self.send(b"f", b"no data\0")
            elif kind == b"Z":
                self.status = body
                if error:
                    raise error
                return answer


def error_fields(body: bytes) -> dict[str, str]:
    parts = [part.decode(errors="replace") for part in body.split(b"\0") if part]
    return {part[0]: part[1:] for part in parts}


def column_names(body: bytes) -> list[str]:
    names, at = [], 2
    for _ in range(struct.unpack("!h", body[:2])[0]):
        end = body.index(b"\0", at)
        names.append(body[at:end].decode())
        at = end + 19
    return names


def row_values(body: bytes) -> list[str | None]:
    values, at = [], 2
    for _ in range(struct.unpack("!h", body[:2])[0]):
        length = struct.unpack("!i", body[at : at + 4])[0]
        at += 4
        values.append(None if length < 0 else body[at : at + length].decode())
        at += max(length, 0)
    return values


class Scram:
    """The client's side of SCRAM-SHA-256 (RFC 7677), without channel binding."""

    def __init__(self, password: str) -> None:
        self.password = password.encode()
        self.nonce = base64.b64encode(os.urandom(18)).decode()

    def first(self) -> bytes:
        self.bare = f"n=,r={self.nonce}"
        return b"n,," + self.bare.encode()

    def final(self, challenge: bytes) -> bytes:
        fields = dict(part.split("=", 1) for part in challenge.decode().split(","))
        if not fields["r"].startswith(self.nonce):
            raise ConnectionLost("the server's nonce does not continue ours")
        salt, rounds = base64.b64decode(fields["s"]), int(fields["i"])
        salted = hashlib.pbkdf2_hmac("sha256", self.password, salt, rounds)
        client = hmac.digest(salted, b"Client Key", "sha256")
        unproved = f"c=biws,r={fields['r']}"
        said = f"{self.bare},{challenge.decode()},{unproved}".encode()
        signature = hmac.digest(hashlib.sha256(client).digest(), said, "sha256")
        self.server = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), said, "sha256")
        proof = bytes(a ^ b for a, b in zip(client, signature))
        return f"{unproved},p={base64.b64encode(proof).decode()}".encode()

    def verify(self, final: bytes) -> None:
        if final != b"v=" + base64.b64encode(self.server):
            raise ConnectionLost("the server does not know the password")
