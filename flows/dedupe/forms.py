"""The comparable forms of many clients, each client's as one text, which the warehouse keeps for the next search.

Fields are in the order of `Comparable`. Characters 29 to 31 stand between fields and items, as in the statement
`compared/inputs`: no form has one, as texts are cut at them before anything is made of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence, Set
from functools import cache
from importlib.metadata import version
from operator import attrgetter
from pathlib import Path
from typing import Final

import pyarrow as pa

from flows.dedupe.comparable import FREE_MAIL, Comparable, comparable
from warehouse.engine.without_pandas import leave_pandas_alone

leave_pandas_alone()

COLUMN, ITEM, PART = "\x1d", "\x1e", "\x1f"
"""The characters between a client's values, between items, and between forms or the parts of a contact."""
VALUES: Final = 10
TEXTS: Final = (
    "name", "tight", "form", "vat_number", "id_number", "domain", "street", "house", "city", "postal_code", "country",
)  # fmt: skip
LISTS: Final = ("words", "numbers", "given", "initials", "persons", "emails", "phones")
SWITCHES: Final = ("lone", "personal", "named", "vat_valid")
NEVER_NULL: Final = ("numbers", "given", "initials")
SCHEMA: Final = pa.schema([
    ("id", pa.string()), ("inputs", pa.string()), ("print", pa.int64()), ("forms", pa.string()),
])  # fmt: skip
_texts_of, _lists_of, _switches_of = attrgetter(*TEXTS), attrgetter(*LISTS), attrgetter(*SWITCHES)
_MADE_BY: Final = ("comparable.py", "names.py", "names.json", "given_names.txt", "family_names.txt", "forms.py")
_LIBRARIES: Final = ("anyascii", "cleanco", "phonenumbers", "python-stdnum")


def basis_of_forms(free: Set[str]) -> str:
    """Return a digest of all that decides on forms: our code and words, the libraries' versions, free mail domains."""
    return hashlib.sha256(f"{_code()} {sorted(free)}".encode()).hexdigest()[:32]


@cache
def _code() -> str:
    here = Path(__file__).parent
    made = [hashlib.sha256((here / name).read_bytes()).hexdigest() for name in _MADE_BY]
    return " ".join([*made, *(version(name) for name in _LIBRARIES)])


def form_of(client: Comparable) -> str:
    """Return the forms of a client as one text."""
    texts = [text or "" for text in _texts_of(client)]
    lists = [ITEM.join(items) for items in _lists_of(client)]
    return PART.join([*texts, *lists, *("1" if switch else "" for switch in _switches_of(client))])


def read_forms() -> str:
    """Return the query that reads the columns out of the texts `forms`, and numbers the clients in the order of ids."""
    columns = [f"nullif(p[{at}], '') as {name}" for at, name in enumerate(TEXTS, 1)]
    for at, name in enumerate(LISTS, 1 + len(TEXTS)):
        items = f"string_split(nullif(p[{at}], ''), chr(30))"
        columns.append(f"coalesce({items}, []) as {name}" if name in NEVER_NULL else f"{items} as {name}")
    columns += [f"p[{at}] = '1' as {name}" for at, name in enumerate(SWITCHES, 1 + len(TEXTS) + len(LISTS))]
    numbered = "select id, forms, row_number() over (order by id) as n from arriving"
    split = f"select n, id, string_split(forms, chr(31)) as p from ({numbered})"
    return f"select n, id, {', '.join(columns)} from ({split})"


def table_of_forms(clients: Sequence[Comparable]) -> pa.Table:
    """Return the forms of clients that no warehouse keeps."""
    count = len(clients)
    columns = [[client.id for client in clients], [""] * count, [None] * count, [form_of(one) for one in clients]]
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)], schema=SCHEMA
    )


def completed(batches: Iterable[pa.RecordBatch], free: Set[str] = FREE_MAIL) -> Iterator[pa.RecordBatch]:
    """Yield batches of `read_inputs` with forms for all clients: those that the warehouse has not are made."""
    for batch in batches:
        texts = batch.column("texts")
        if texts.null_count == batch.num_rows:
            yield _selected(batch, batch.column("forms"))
            continue
        # Not by pyarrow's own functions: to import them takes as long as this does for 50,000 clients.
        columns = (batch.column(name).to_pylist() for name in ("id", "forms", "texts"))
        forms = [
            form if text is None else form_of(_comparable(key, text, free))
            for key, form, text in zip(*columns, strict=True)
        ]
        yield _selected(batch, pa.array(forms, pa.string()))


def prefixed(prefix: str, batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch of `read_inputs` whose ids begin with a prefix."""
    ids = pa.array([prefix + client_id for client_id in batch.column("id").to_pylist()], pa.string())
    return batch.set_column(batch.schema.get_field_index("id"), "id", ids)


def _selected(batch: pa.RecordBatch, forms: pa.Array) -> pa.RecordBatch:
    columns = [batch.column("id"), batch.column("inputs"), batch.column("print"), forms]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def _comparable(client_id: str, texts: str, free: Set[str]) -> Comparable:
    """Return the comparable forms of one client from its values as `compared/inputs` writes them."""
    name, vat, number, website, phone, address, city, code, country, contacts, *_ = texts.split(COLUMN)
    people = [(contact.split(PART) + [""] * 4)[:4] for contact in contacts.split(ITEM)] if contacts else []
    return comparable(
        id=client_id, name=name, vat_number=vat, id_number=number, website=website, address=address, city=city,
        postal_code=code, country=country or None, emails=[email for _, _, email, _ in people],
        phones=[phone, *(own for *_, own in people)],
        persons=[f"{first} {last}".strip() for first, last, _, _ in people], free=free,
    )  # fmt: skip
