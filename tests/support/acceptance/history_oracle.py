"""Oracle over callers, Redis and the history: nothing is lost, and nothing is there twice."""

from collections import Counter

from sqlalchemy import Table, func, select

from engine.history.database.connections import Database
from engine.history.schema import execution_records, executions, ledger_entries, rollups
from tests.support.acceptance.random_spending import Spender, check_books


async def check_history(spender: Spender, database: Database) -> Counter[str]:
    """Check the runs of an account that Redis has forgotten; return their ends."""
    ends = await check_books(spender, in_redis=False)
    made, account_id = Counter(spender.runs.keys()), spender.account.id
    assert _ids(database, executions, "id", account_id) == made
    assert _ids(database, execution_records, "execution_id", account_id) == made
    spent = _spent(database, account_id)
    for execution_id in made:
        execution = await spender.store.executions.get(account_id, execution_id)
        assert spent[execution_id] == execution.credits_cost, execution_id
    assert _figures(database, account_id) == (len(made), ends["failed"], sum(spent.values()))
    assert await spender.store.ledgers.check(account_id) == []
    return ends


def _ids(database: Database, table: Table, column: str, account_id: str) -> Counter[str]:
    with database.read() as connection:
        query = select(table.c[column]).where(table.c.account_id == account_id)
        return Counter(connection.execute(query).scalars())


def _spent(database: Database, account_id: str) -> Counter[str]:
    """Return the credits that left the account by execution, by the archived ledger."""
    columns = ledger_entries.c.execution_id, func.sum(ledger_entries.c.credits)
    query = select(*columns).where(ledger_entries.c.account_id == account_id).group_by(columns[0])
    with database.read() as connection:
        found = connection.execute(query.where(columns[0].is_not(None))).all()
    return Counter({execution_id: -int(credits) for execution_id, credits in found})


def _figures(database: Database, account_id: str) -> tuple[int, int, int]:
    """Return runs, failures and credits by the rollups of days."""
    columns = (func.sum(rollups.c[name]) for name in ("runs", "failed", "credits"))
    query = select(*columns).where(
        rollups.c.account_id == account_id,
        rollups.c.bucket == "day",
        rollups.c.dimension == "status",
    )
    with database.read() as connection:
        runs, failed, credits = connection.execute(query).one()
    return int(runs), int(failed), int(credits)
