"""A search that compares only what has changed finds exactly what comparing all clients finds."""

from __future__ import annotations

import hashlib
import random

import pyarrow as pa
import pytest

from flows.dedupe.compare import MOST_AGAIN, UNCERTAIN, can_use, compared, read_ranks
from flows.dedupe.forms import COLUMN, ITEM, PART, completed
from flows.dedupe.levels import COMPARISONS
from flows.dedupe.model import Model, shipped
from flows.dedupe.pairs import HOLDERS, STRONG_CAP, WEAK_CAP
from flows.dedupe.rules import Rules
from tests.bench.dedupe_books import book
from warehouse.control.compared import Before

RULES = Rules()
FIELDS = ("name", "vat_number", "id_number", "website", "phone", "address", "city", "postal_code", "country")
ARRIVING = pa.schema([
    ("id", pa.string()), ("inputs", pa.string()), ("print", pa.int64()), ("forms", pa.string()), ("texts", pa.string()),
])  # fmt: skip


class Kept:
    """What a warehouse keeps between two searches, in memory."""

    def __init__(self):
        self.forms = {}
        self.before = Before()

    def batches(self, rows, usable):
        """The clients as `compared/inputs` returns them."""
        arriving = []
        for row in rows:
            told = told_of(row)
            inputs = hashlib.md5(told.encode()).hexdigest()[:16]  # noqa: S324 - as the statement spells it
            stored = self.forms.get(row["id"]) if usable else None
            same = stored is not None and stored["inputs"] == inputs
            made = {"print": stored["print"], "forms": stored["forms"]} if same else {"print": None, "forms": None}
            arriving.append({"id": row["id"], "inputs": inputs, **made, "texts": None if same else told})
        return pa.Table.from_pylist(arriving, ARRIVING).to_batches(max_chunksize=70)

    def search(self, rows, *, model=None, rules=RULES):
        """Search, keep the state, and return the pairs with their probabilities, conflicts and ranks, and `again`."""
        present = {row["id"] for row in rows}
        before = Before(self.before.basis, self.before.scores, sorted(set(self.forms) - present))
        with compared(self.batches(rows, can_use(before, rules)), before, rules, model=model) as done:
            after = done.after
            if not after.kept_forms:
                self.forms = {}
            for gone in after.ids["id"].to_pylist():
                self.forms.pop(gone, None)
            for batch in after.forms:
                self.forms |= {row["id"]: row for row in batch.to_pylist()}
            self.before = Before(after.basis, after.scores)
            assert set(self.forms) == present
            return {
                pair: (p, pair in done.conflicts, done.ranks[pair]) for pair, p in done.probable.items()
            }, done.again


def told_of(row):
    mails, phones = list(row.get("emails") or ()), list(row.get("phones") or ())
    contacts = [PART.join(("", "", mail or "", "")) for mail in mails] + [
        PART.join((*(person or "").partition(" ")[::2], "", "")) for person in row.get("persons") or ()
    ]
    own = {**row, "phone": phones[0] if phones else None}
    return COLUMN.join([*(own.get(field) or "" for field in FIELDS), ITEM.join(contacts)])


def changed(rows, chance, number):
    """The book after a while: clients come, go, are merged, and take values of others, some of which many hold."""
    rows = [dict(row) for row in rows]
    chance.shuffle(rows)
    del rows[: chance.randint(0, 4)]
    popular = rows[0]
    for row in rows[: chance.randint(1, 12)]:
        field = chance.choice(("name", "emails", "phones", "city", "address", "vat_number", "id_number", "website"))
        row[field] = chance.choice((popular, chance.choice(rows), {}, {field: row.get(field)})).get(field)
    if chance.random() < 0.3:  # a name that more and more clients have, until it makes no pairs any more
        for row in chance.sample(rows, 9):
            row["name"], row["city"] = "Stadtwerke Musterstadt", "Musterstadt"
    new = [dict(row.row) | {"id": f"n{number}-{at}"} for at, row in enumerate(book(4, seed=number + 1_000))]
    return rows + new + ([dict(chance.choice(rows)) | {"id": f"t{number}"}] if chance.random() < 0.7 else [])


@pytest.mark.parametrize(
    "seed", [1, pytest.param(2, marks=pytest.mark.proof), pytest.param(3, marks=pytest.mark.proof)]
)
def test_a_search_that_goes_on_finds_what_a_first_search_finds(seed):
    chance = random.Random(seed)  # noqa: S311 - invented data, not cryptography
    rows = [dict(one.row) for one in book(260, seed=seed)]
    kept, fewer = Kept(), 0
    kept.search(rows)
    for number in range(5):
        rows = changed(rows, chance, number + 100 * seed)
        found, again = kept.search(rows)
        whole, all_of_them = Kept().search(rows)
        assert found == whole
        assert all_of_them == len(rows)
        fewer += 0 < again <= MOST_AGAIN * len(rows)
    assert fewer > 1


def crowd_of(count):
    """Clients that share a name, a mailbox and a place, and two others."""
    shared = {"name": "Haus Sonne", "emails": ["haus@sonne.example.de"], "city": "Ulm", "postal_code": "89073"}
    crowd = [{**shared, "id": f"c{number:03}"} for number in range(count)]
    others = [
        {"name": f"Anders {word} GmbH", "city": city, "id": word} for word, city in (("Abt", "Bern"), ("Zoll", "Rom"))
    ]
    return crowd + others


@pytest.mark.parametrize("limit", [3, HOLDERS, WEAK_CAP, STRONG_CAP])
def test_one_client_more_than_a_limit_has_all_that_share_its_values_compared_again(limit):
    kept = Kept()
    kept.search(crowd_of(limit))
    for count in (limit + 1, limit):
        rows = crowd_of(count)
        assert kept.search(rows)[0] == Kept().search(rows)[0]


def test_nothing_changed_nothing_is_compared_and_the_result_is_the_same():
    rows = [dict(one.row) for one in book(120, seed=5)]
    kept = Kept()
    first, all_of_them = kept.search(rows)
    assert (all_of_them, bool(first)) == (120, True)
    assert kept.search(rows[::-1]) == (first, 0)


def test_another_model_another_floor_and_other_mail_domains_compare_all_again():
    rows = [dict(one.row) for one in book(120, seed=6)]
    kept = Kept()
    kept.search(rows)
    weights = shipped()
    other = Model(weights.bias - 1, weights.weights)
    assert kept.search(rows, model=other) == Kept().search(rows, model=other)
    assert kept.search(rows, model=other)[1] == 0
    lower = Rules(threshold=0.5, floor=UNCERTAIN / 2)
    found, again = kept.search(rows, model=other, rules=lower)
    assert again == 120
    assert found == Kept().search(rows, model=other, rules=lower)[0]
    higher, none = kept.search(rows, model=other)
    assert none == 0  # what is stored holds all that is asked for
    assert higher == Kept().search(rows, model=other)[0]
    free = Rules(free_mail_also=["ninja.example"])
    assert kept.search(rows, model=other, rules=free)[1] == 120


def test_the_ranks_of_a_pair_are_read_as_they_were_written():
    rows = [{"id": "a", "name": "Huber Bau", "city": "Ulm"}, {"id": "b", "name": "Huber Bau", "city": "Ulm"}]
    found, _ = Kept().search(rows)
    ranks = read_ranks(found["a", "b"][2])
    assert list(ranks) == [comparison.name for comparison in COMPARISONS]
    assert ranks["name"] == 1
    assert ranks["phone"] == 0


def test_values_with_the_characters_between_fields_do_no_harm():
    odd = pa.Table.from_pylist(
        [
            {
                "id": "a",
                "inputs": "x",
                "print": None,
                "forms": None,
                "texts": f"Anders{COLUMN}B" + COLUMN * 9 + f"{ITEM}{PART * 7}",
            }
        ],
        ARRIVING,
    )
    (batch,) = completed(odd.to_batches())
    assert batch.column("forms")[0].as_py().startswith("anders")
