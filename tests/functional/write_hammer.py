"""Writes as fast as it can, from a few threads; a program for the tests that need several processes.

``write_hammer.py FILE hammer THREADS CHECKS`` writes checks and prints what came of each;
``write_hammer.py FILE die`` stops in the middle of its turn, says so, and waits to be killed.
"""

from __future__ import annotations

import sys
import threading
import time
import uuid

from sqlalchemy import URL, insert

from service.db import Database
from service.schema import meta


def hammer(database: Database, n_threads: int, n_writes: int) -> None:
    lines: list[str] = []

    def write() -> None:
        for _ in range(n_writes):
            name = uuid.uuid4().hex
            try:
                database.write_together(
                    lambda connection, name=name: connection.execute(
                        insert(meta), {"name": name, "value": "x" * 500}
                    )
                )
            except Exception as error:
                lines.append(f"{type(error).__name__} {name}")
            else:
                lines.append(f"kept {name}")

    threads = [threading.Thread(target=write) for _ in range(n_threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def die(database: Database) -> None:
    with database.write() as connection:
        connection.execute(insert(meta), {"name": "half-written", "value": "x"})
        sys.stdout.write("writing\n")
        sys.stdout.flush()
        time.sleep(600)


if __name__ == "__main__":
    opened = Database(URL.create("sqlite", database=sys.argv[1]), timeout_s=0.6)
    if sys.argv[2] == "hammer":
        hammer(opened, int(sys.argv[3]), int(sys.argv[4]))
    else:
        die(opened)
