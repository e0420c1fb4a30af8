#!/usr/bin/env python3
"""kill -9 under load, again and again: what was acknowledged is there, and nothing else is.

    tools/kill9.py [--rounds 50] [--clients 8] [--server-cmd '... {data} {port}' | --postgres]

Each client moves money between accounts and books each move in a ledger, in one transaction, and
remembers what the server acknowledged. After each kill and restart:
  - every acknowledged move is in the ledger, exactly once;
  - a move that is there without an acknowledgement is one whose COMMIT was sent and not answered;
  - nothing that was never sent to commit, or that the server refused, is there;
  - the accounts are what the ledger says, to the cent;
  - the ledger of the rounds before is as it was.
The seconds from start to the first answer are the recovery time; more than --limit fails.
"""

import argparse
import pathlib
import random
import shlex
import statistics
import sys
import threading
import time

import servers
from pgwire_client import Connection, ConnectionLost, ServerError

ROOT = pathlib.Path(__file__).resolve().parent.parent
ACCOUNTS, START_BALANCE = 1000, 1000
RETRIED = ("40001", "40P01", "55P03")  # the server chose another; the move did not happen


class Client(threading.Thread):
    """One session: moves until its connection goes."""

    def __init__(self, port: int, number: int, round_number: int, seed: int) -> None:
        super().__init__()
        self.port, self.number, self.round = port, number, round_number
        self.draw = random.Random(f"{seed} {round_number} {number}")
        self.acknowledged: set[int] = set()
        self.unknown: set[int] = set()  # COMMIT sent, no answer: one at most
        self.retries = 0
        self.fault = ""

    def run(self) -> None:
        try:
            with Connection("127.0.0.1", self.port, timeout_s=60) as connection:
                for sequence in range(1, 1 << 30):
                    self.move(connection, sequence)
        except (ConnectionLost, OSError):
            pass
        except ServerError as error:
            if not error.code.startswith(("57", "08")):  # shutting down, connection failure
                self.fault = f"client {self.number}: {error}"

    def move(self, connection: Connection, sequence: int) -> None:
        one, two = sorted(self.draw.sample(range(ACCOUNTS), 2))
        amount = self.draw.randint(-100, 100)
        values = f"{self.round}, {self.number}, {sequence}, {one}, {two}, {amount}"
        try:
            connection.query("begin")
            connection.query(f"update account set balance = balance - {amount} where id = {one}")
            connection.query(f"update account set balance = balance + {amount} where id = {two}")
            connection.query(f"insert into ledger values ({values})")
        except ServerError as error:
            if error.code not in RETRIED:
                raise
            self.retries += 1
            connection.query("rollback")
            return
        self.unknown.add(sequence)
        answer = connection.query("commit")
        if answer.tag != "COMMIT":
            raise ServerError({"S": "ERROR", "C": "XXXXX", "M": f"COMMIT answered {answer.tag}"})
        self.unknown.discard(sequence)
        self.acknowledged.add(sequence)


def set_up(port: int) -> None:
    with Connection("127.0.0.1", port, timeout_s=60) as connection:
        connection.query("create table account (id integer primary key, balance bigint not null)")
        connection.query(
            "create table ledger (round integer, client integer, sequence integer,"
            " source integer, target integer, amount bigint, primary key (round, client, sequence))"
        )
        rows = ", ".join(f"({n}, {START_BALANCE})" for n in range(ACCOUNTS))
        connection.query(f"insert into account values {rows}")


def verify(
    port: int, round_number: int, clients: list[Client], before: int
) -> tuple[list[str], int]:
    """(what is wrong, how many moves the ledger holds now)."""
    wrong = [client.fault for client in clients if client.fault]
    with Connection("127.0.0.1", port, timeout_s=300) as connection:
        ledger = connection.query(
            "select round, client, sequence, source, target, amount from ledger"
        ).rows
        balances = dict(connection.query("select id, balance from account").rows)
        by_key = connection.query(
            f"select client, sequence from ledger where round = {round_number} order by 1, 2"
        ).rows
    found: dict[int, list[int]] = {client.number: [] for client in clients}
    expected = {n: START_BALANCE for n in range(ACCOUNTS)}
    older = 0
    for round_text, client, sequence, source, target, amount in ledger:
        expected[int(source)] -= int(amount)
        expected[int(target)] += int(amount)
        if int(round_text) == round_number:
            found.setdefault(int(client), []).append(int(sequence))
        else:
            older += 1
    if older != before:
        wrong.append(f"the rounds before held {before} moves and hold {older}")
    for client in clients:
        scanned = sorted(found.pop(client.number))
        indexed = [int(sequence) for number, sequence in by_key if int(number) == client.number]
        there = set(scanned)
        if scanned != indexed or len(there) != len(scanned):
            wrong.append(f"client {client.number}: table and index disagree, or a move is doubled")
        for what, moves in (
            ("acknowledged and lost", client.acknowledged - there),
            ("there but never committed", there - client.acknowledged - client.unknown),
        ):
            if moves:
                wrong.append(f"client {client.number}: {what}: {sorted(moves)[:10]}")
    if any(found.values()):
        wrong.append(f"moves of clients that do not exist: {sorted(found)[:10]}")
    differ = [n for n in range(ACCOUNTS) if str(expected[n]) != balances.get(str(n))]
    if differ or len(balances) != ACCOUNTS:
        wrong.append(f"{len(differ)} balances are not what the ledger says: accounts {differ[:10]}")
    return wrong, len(ledger)


def make_server(options: argparse.Namespace) -> servers.Server:
    out = servers.scratch(options.out.resolve())
    if options.postgres:
        return servers.Postgres(out / "data", out / "server.log", {"fsync": "on"})
    command = (
        options.server_cmd or f"{ROOT}/build/release/orrery server --data {{data}} --port {{port}}"
    )
    return servers.Server(
        "the server", shlex.split(command), servers.scratch(out / "data"), out / "server.log"
    )


def main() -> int:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    arguments.add_argument("--rounds", type=int, default=50)
    arguments.add_argument("--clients", type=int, default=8)
    arguments.add_argument("--server-cmd", default="")
    arguments.add_argument("--postgres", action="store_true")
    arguments.add_argument(
        "--seed", type=int, default=1, help="of the moves and of the kills' times"
    )
    arguments.add_argument("--load-max", type=float, default=2.0, help="seconds of load, at most")
    arguments.add_argument("--limit", type=float, default=10.0, help="seconds of recovery, at most")
    arguments.add_argument("--out", type=pathlib.Path, default=ROOT / "build" / "kill9")
    options = arguments.parse_args()
    server = make_server(options)
    draw = random.Random(options.seed)
    recoveries, moves, unknown_kept, unknown_lost = [], 0, 0, 0
    server.start()
    try:
        set_up(server.port)
        for round_number in range(1, options.rounds + 1):
            clients = [
                Client(server.port, number, round_number, options.seed)
                for number in range(options.clients)
            ]
            for client in clients:
                client.start()
            time.sleep(draw.uniform(0.05, options.load_max))
            server.kill()
            for client in clients:
                client.join()
            recoveries.append(server.start(max(60, 3 * options.limit)))
            wrong, total = verify(server.port, round_number, clients, moves)
            acknowledged = sum(len(client.acknowledged) for client in clients)
            unknown = sum(len(client.unknown) for client in clients)
            kept = total - moves - acknowledged
            unknown_kept, unknown_lost = unknown_kept + kept, unknown_lost + unknown - kept
            moves = total
            if recoveries[-1] > options.limit:
                wrong.append(f"recovery took {recoveries[-1]:.1f} s")
            print(
                f"round {round_number}: {acknowledged} acknowledged, {kept} of {unknown} unanswered"
                f" kept, recovered in {recoveries[-1]:.2f} s",
                flush=True,
            )
            if wrong:
                print("\n".join(f"  WRONG: {text}" for text in wrong))
                print(f"the data is left in {server.data}")
                return 1
    finally:
        server.stop()
    print(
        f"{options.rounds} rounds, {moves} moves, all acknowledged ones there; of the unanswered"
        f" {unknown_kept} kept and {unknown_lost} lost; recovery median"
        f" {statistics.median(recoveries):.2f} s, most {max(recoveries):.2f} s"
    )
    if moves == 0:
        print("WRONG: no move was ever made")
    return 0 if moves else 1


if __name__ == "__main__":
    sys.exit(main())
