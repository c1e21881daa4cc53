"""Behind a real PgBouncer: nothing of ours stays on a pooled session, and the lock of a source holds, in every mode."""

from __future__ import annotations

from contextlib import ExitStack

import psycopg
import pytest
import sqlalchemy as sa

from flows import engine
from flows.configuration.values import Settings
from schemas.errors import Busy
from tests.crashes.witness import found_in, truth
from tests.pgbouncer import needs_pgbouncer, running_pgbouncer, through
from warehouse.locks.lock import one_run_at_a_time
from warehouse.opened.open import open_place

pytestmark = needs_pgbouncer
SIZE = 4
LEFT = """
select name || ' = ' || setting from pg_settings where source = 'session'
    and name not in ('application_name', 'client_encoding', 'DateStyle', 'TimeZone', 'standard_conforming_strings')
union all select 'an advisory lock' from pg_locks where locktype = 'advisory'
union all select 'the table ' || relname from pg_class where relpersistence = 't' and relkind = 'r'
"""
"""What a session has that it was not given by Postgres; PgBouncer itself sets the five that it keeps by client."""


def left_behind(place):
    """What is left on the sessions of a pool, all of which are taken at once."""
    with ExitStack() as held:
        sessions = [held.enter_context(psycopg.connect(place.url)) for _ in range(SIZE)]
        return {row for session in sessions for row in session.execute(LEFT)}


@pytest.fixture
def ninja(command, tmp_path):
    """The command line with a warehouse."""

    def run(place, *args):
        return command(*args, environ={"NINJA_SYNC_WAREHOUSE": place.url, "XDG_STATE_HOME": str(tmp_path)})

    return run


@pytest.mark.parametrize("mode", ["transaction", "session"])
def test_a_mirror_behind_a_pooler_is_exact_and_leaves_nothing_on_its_sessions(ninja, server, database, postgres, mode):
    with running_pgbouncer(postgres, mode, SIZE) as port:
        far = through(port, database)
        assert ninja(far, "pull")[0] == 0
        client, gone, *_ = (c for c in server.clients().values() if not c["is_deleted"] and not c["archived_at"])
        server.edit(client, city="Zürich")
        server.purge(gone["id"])
        assert ninja(far, "sweep")[0] in {0, 7}
        assert found_in(database).clients == truth(server.clients())
        for words in (["status"], ["balances"], ["sql", "select 1"], ["sql", "select nothing"]):
            ninja(far, *words)
        assert left_behind(far) == set()
        assert "pooler" in ninja(far, "doctor")[1]
    assert "pooler" not in ninja(database, "doctor")[1]


def test_the_lock_of_a_source_holds_behind_a_transaction_pooler_and_before_it(database, postgres):
    with running_pgbouncer(postgres, "transaction", SIZE) as port:
        far = through(port, database)
        with one_run_at_a_time(far, "main", wait=0), open_place(far) as other:
            assert other.rows("select 1") == [(1,)]
            for place in (far, database):
                with pytest.raises(Busy), one_run_at_a_time(place, "main", wait=0):
                    pass
        for place in (database, far):
            with one_run_at_a_time(place, "main", wait=10):  # the pooler ends a session a moment after its client
                pass


def test_settings_of_one_transaction_meet_no_other_program(database, postgres):
    with running_pgbouncer(postgres, "transaction", size=1) as port:
        far = through(port, database)
        with open_place(far, read_only=True) as ours, psycopg.connect(far.url, autocommit=True) as theirs:
            assert ours.rows("select 1") == [(1,)]
            theirs.execute("create table public.mine (n integer)")
            with ours.transaction():
                ours.rows("select 1")
            theirs.execute("insert into mine values (1)")


def test_a_pooler_without_transactions_is_refused_with_what_to_change(ninja, database, postgres):
    with running_pgbouncer(postgres, "statement", SIZE) as port:
        code, _, err = ninja(through(port, database), "pull")
    assert (code, "pool_mode=statement" in err, "pool_mode=transaction" in err) == (6, True, True)
    with open_place(database) as warehouse:
        assert (
            warehouse.rows(
                "select nspname from pg_namespace where nspname in ('control', 'ninja', 'mart', 'mart_public')"
            )
            == []
        )


def test_sqlalchemy_reads_the_same_query_again_and_again_on_every_session(database, postgres):
    with running_pgbouncer(postgres, "transaction", size=2) as port, ExitStack() as held:
        opened = engine(settings=Settings(warehouse=through(port, database).url))
        for several in [[held.enter_context(opened.connect()) for _ in range(3)]] * 12:  # more often than psycopg waits
            for connection in several:
                assert connection.execute(sa.text("select 1")).scalar() == 1
                connection.commit()
