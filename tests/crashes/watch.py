"""One server and its warehouse, watched from crash to crash."""

from __future__ import annotations

from tests.crashes.witness import as_published, found_in, leftovers, published, truth


class Watch:
    """What the mirror held before, what the copies may show, and which clients are gone from the server since."""

    def __init__(self, server, path, victims):
        self.server, self.path, self.victims = server, path, victims
        self.before, self.gone = found_in(path), set()
        self.shown = [{}, *published(path)]

    def check(self, *, exact):
        """The warehouse is in its old state or in the server's; which of them, its ledger says, too.

        A pull that finds clients gone may make two runs: what is new, and then everything. Between them, what is gone
        is still there.
        """
        found, now = found_in(self.path), truth(self.server.clients())
        old, here = self._present(self.before), self._present(found)
        assert here == now or (here == old and not exact), "neither the old state nor the new one"
        assert not exact or found.clients == now, "clients that are gone are still there"
        assert self.before.runs <= found.runs
        runs, most = len(found.runs - self.before.runs), 2 if self.gone else 1
        assert runs <= most if old == now else (0 < runs <= most if here == now else runs == 0), "the ledger disagrees"
        self.before = found
        self.shown = [*([] if exact else self.shown), as_published(found.clients)]
        for copy in published(self.path):
            assert copy in self.shown, "a published copy shows what never was"
        if exact:
            self.gone.clear()
            assert leftovers(self.path) == []

    def pull(self):
        """A pull that nobody disturbs: exact, and it leaves nothing behind."""
        ended = self.victims.pull()
        assert (ended.code, ended.text) == (0, "")
        self.check(exact=True)
        return ended

    def _present(self, found):
        return {key: row for key, row in found.clients.items() if key not in self.gone}
