"""Synchronous sessions in threads against asynchronous ones, for one and the same feed query.

Both run in one process against the embedded PostgreSQL, 32 requests at a time, each a transaction
that reads one feed page of 10 from 20,000 rows. The ratio says what the simpler form costs.
"""

import asyncio
import json
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.pop(0)
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psycopg
from benchmarks.rig.scratch import scratch_postgres
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import Session

CONCURRENCY = 32
REQUESTS = 4_000
ROUNDS = 5
QUERY = text("SELECT id, caption, likes FROM clip ORDER BY likes DESC, id LIMIT 10 OFFSET :skip")


def main() -> None:
    """Measure both, alternating, and print one JSON line."""
    with scratch_postgres() as conninfo:
        _fill(conninfo)
        measured: dict[str, list[float]] = {"threads": [], "async": []}
        for _ in range(ROUNDS):
            measured["threads"].append(_in_threads(conninfo))
            measured["async"].append(asyncio.run(_in_tasks(conninfo)))
    medians = {name: statistics.median(rates) for name, rates in measured.items()}
    report = {
        "requests_per_s": {name: round(rate) for name, rate in medians.items()},
        "spread": {name: [round(min(r)), round(max(r))] for name, r in measured.items()},
        "threads_to_async": round(medians["threads"] / medians["async"], 2),
    }
    print(json.dumps(report))


def _fill(conninfo: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("CREATE TABLE clip (id bigint PRIMARY KEY, caption text, likes int)")
        connection.execute(
            "INSERT INTO clip SELECT n, 'clip ' || n, (n * 7919) % 1000"
            " FROM generate_series(1, 20000) n"
        )
        connection.execute("CREATE INDEX ON clip (likes DESC, id)")
        connection.execute("VACUUM ANALYZE clip")


def _in_threads(conninfo: str) -> float:
    engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: psycopg.connect(conninfo),
        pool_size=CONCURRENCY,
    )

    def one(number: int) -> int:
        with Session(engine) as session, session.begin():
            return len(session.execute(QUERY, {"skip": number % 100}).all())

    async def run() -> None:
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(CONCURRENCY) as executor:
            gate = asyncio.Semaphore(CONCURRENCY)

            async def request(number: int) -> None:
                async with gate:
                    await loop.run_in_executor(executor, one, number)

            await asyncio.gather(*(request(n) for n in range(REQUESTS)))

    began = time.perf_counter()
    asyncio.run(run())
    engine.dispose()
    return REQUESTS / (time.perf_counter() - began)


async def _in_tasks(conninfo: str) -> float:
    async def connect() -> psycopg.AsyncConnection[object]:
        return await psycopg.AsyncConnection.connect(conninfo)

    engine = create_async_engine(
        "postgresql+psycopg://", async_creator=connect, pool_size=CONCURRENCY
    )
    gate = asyncio.Semaphore(CONCURRENCY)

    async def one(number: int) -> None:
        async with gate, engine.begin() as connection:
            (await connection.execute(QUERY, {"skip": number % 100})).all()

    began = time.perf_counter()
    await asyncio.gather(*(one(n) for n in range(REQUESTS)))
    rate = REQUESTS / (time.perf_counter() - began)
    await engine.dispose()
    return rate


if __name__ == "__main__":
    main()
