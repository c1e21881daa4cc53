"""Requests with odd ids, parameters, bodies and headers, made by hypothesis from the operations."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import strategies as st

from sandbox.php.hashids import encode
from tests.sandbox.operations import BESIDE, DOCUMENTED, Operation

TEXTS = (
    "", " ", "0", "1", "-1", "true", "false", "null", "x", "a b", "%", "_", "*", "'", '"', "\\", "<b>x", "\0", "é東👍",
    "\u200b", "2026-01-02", "2026-01-02T03:04:05+02:00", "tomorrow", "9" * 30, "1e999", "0x10", "7.9", "+3", "n" * 300,
    "9" * 5000,
    "DE", "USD", "en", "a@example.com", "https://x.example.com", "active,deleted", "id|asc", "name|desc", "nothing|asc",
    "|", "number|asc", "contacts|asc", "1000:gt", "gt:1000", "1:2", ":", "ledger", "foo",
    "activities,system_logs,group_settings", "contacts.client", "documents", "archive", "restore", "delete", "client",
    "bulk_update", "assign_group", "template", "2026-01-01,2027-01-01", "gte:2026-01-01", "PUT", "DELETE",
    "custom_value1", "industry_id", "public_notes", "country_id",
)  # fmt: skip
NUMBERS = (0, 1, -1, 2, 14, 99999, 2**31, 2**63, 10**30, 0.5, 27.5, -1e-7, 1e300)
IDS = (*map(encode, range(1, 9)), "zzzzzzzzzz", encode(2**62))
FILES = (("a.txt", b"hello"), ("b.exe", b"MZ\0\0"), ("", b"x"), ("Größe.pdf", b"%PDF-1.4\n"), ("c", b""))
PATHS = (*IDS, *(IDS[:5] * 4), "1", "0", "-", "a b", "%00", "..", "é", "x" * 300, "create", "1e5", "12-34")
TOKENS = (*("token",) * 12, "viewer_token", "other_token", "wrong", "none")
HEADERS: tuple[dict[str, str], ...] = (
    {}, {}, {}, {}, {"X-Requested-With": ""}, {"X-Requested-With": "", "Accept": "text/html,application/json"},
    {"X-Requested-With": "", "Accept": "application/json;q=x, */*;q=0.5"}, {"Accept": ""}, {"X-Strict-Filters": "true"},
    {"X-HTTP-Method-Override": "PUT"}, {"X-HTTP-Method-Override": "GET"}, {"X-HTTP-Method-Override": "é"},
)  # fmt: skip
RAW = (
    b"", b"[", b"null", b"5", b"[1]", b'"text"', b"\xff\xfe", b'{"name":NaN}', b'{"name":"\\ud800"}', b"[" * 5000,
    b"a=1&a[b][]=2&[x]=3&name[]=x", b"&&==", b"a" + b"[b]" * 500 + b"=1", b'{"name":1e400}', b'{"":{"":1}}',
)  # fmt: skip
KINDS = (
    "application/json",
    "application/vnd.api+json",
    "application/x-www-form-urlencoded",
    "text/plain",
    "",
    "multipart/form-data",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, and the body as it was before it became bytes (None if it is raw)."""

    operation: Operation
    path: str
    query: tuple[tuple[str, str], ...]
    content: bytes
    kind: str
    token: str
    password: str
    headers: tuple[tuple[str, str], ...] = ()

    def url(self) -> str:
        """Path and query."""
        return f"/api/v1{self.path}" + ("?" + urlencode(self.query) if self.query else "")


scalars = st.sampled_from((*TEXTS, *NUMBERS, *IDS, None, True, False))
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(("id", "email", "currency_id", "password", "first_name", "a", "0", "")), inner, max_size=3
        )
    ),
    max_leaves=6,
)
OF_A_CONTACT = (
    "id", "email", "first_name", "phone", "password", "is_primary", "send_email", "contact_key", "custom_value1",
)  # fmt: skip
contacts = st.lists(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(OF_A_CONTACT, values),
    )
    | values,
    max_size=3,
)
settings_of = st.dictionaries(
    st.sampled_from(
        (
            "currency_id",
            "payment_terms",
            "language_id",
            "entity",
            "show_tasks_table",
            "x",
            "pdf_variables",
            "default_task_rate",
            "name",
        )
    ),
    values,
    max_size=3,
)
LIKELY: dict[str, st.SearchStrategy[Any]] = {
    "contacts": contacts | values,
    "settings": settings_of | values,
    "ids": st.lists(st.sampled_from(IDS[:4]), min_size=1, max_size=3) | values,
    "action": st.sampled_from(("archive", "restore", "delete", "template", "assign_group", "bulk_update")) | values,
    "column": st.sampled_from(("custom_value1", "industry_id", "size_id", "country_id", "public_notes", "name"))
    | values,
    "client_id": st.sampled_from((*IDS, 1, 4, 99)) | values,
    "start_date": st.sampled_from(("2026-01-01", "0000-01-01", "2026-02-30")) | values,
    "end_date": st.sampled_from(("2026-12-31", "9999-12-31")) | values,
    "target_url": st.just("https://x.example.com") | values,
    "event_id": st.sampled_from(("1", 10, 99)) | values,
}


def _field(name: str) -> st.SearchStrategy[tuple[str, Any]]:
    return st.tuples(st.just(name), LIKELY.get(name, scalars | scalars | values))


@st.composite
def requests(draw: st.DrawFn) -> Asked:
    """Any request to any operation; the documented ones more often."""
    operation = draw(st.sampled_from((*DOCUMENTED, *DOCUMENTED, *BESIDE)))
    path = operation.path
    while "{}" in path:
        path = path.replace("{}", quote(draw(st.sampled_from(PATHS)), safe=""), 1)
    names = st.sampled_from(operation.query) if operation.query else st.nothing()
    query = tuple(draw(st.lists(st.tuples(names, st.sampled_from((*TEXTS, *IDS))), max_size=3)))
    asked = Asked(
        operation,
        path,
        tuple((f"{name}[]" if draw(st.integers(0, 9)) == 0 else name, value) for name, value in query),
        b"",
        "application/json",
        draw(st.sampled_from(TOKENS)),
        draw(st.sampled_from(("right", "right", "right", "wrong", "none", "base64", "bad base64"))),
        tuple(draw(st.sampled_from(HEADERS)).items()),
    )
    return _with_body(draw, asked)


def _with_body(draw: st.DrawFn, asked: Asked) -> Asked:
    if draw(st.integers(0, 9)) == 0:
        return replace(asked, content=draw(st.sampled_from(RAW)), kind=draw(st.sampled_from(KINDS)))
    names = asked.operation.body
    body = dict(draw(st.lists(st.sampled_from(names).flatmap(_field), max_size=5))) if names else {}
    if asked.operation.name == "uploadClient" or draw(st.integers(0, 19)) == 0:
        files = [(draw(st.sampled_from(("documents[]", "documents", "file"))), *draw(st.sampled_from(FILES)))]
        fields = [("_method", asked.operation.verb), *((k, v) for k, v in body.items() if isinstance(v, str))]
        return replace(asked, content=_form(fields, files), kind="multipart/form-data; boundary=frontier")
    if not body and draw(st.booleans()):
        return asked
    return replace(asked, content=json.dumps(body).encode())


def _form(fields: list[tuple[str, str]], files: list[tuple[str, str, bytes]]) -> bytes:
    out = b"".join(
        f'--frontier\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'.encode() for k, v in fields
    )
    for field, name, content in files:
        head = f'--frontier\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'
        out += head.encode() + content + b"\r\n"
    return out + b"--frontier--\r\n"


def headers_of(asked: Asked, sandbox: Any) -> dict[str, bytes]:
    """The headers to send, with the sandbox's own tokens and password."""
    out = {"X-Requested-With": "XMLHttpRequest", "X-API-TOKEN": "nobodystoken", "Content-Type": asked.kind}
    if asked.token == "none":
        del out["X-API-TOKEN"]
    elif asked.token != "wrong":
        out["X-API-TOKEN"] = getattr(sandbox, asked.token)
    right = sandbox.password
    out |= {
        "right": {"X-API-PASSWORD": right},
        "wrong": {"X-API-PASSWORD": "wrong"},
        "none": {},
        "base64": {"X-API-PASSWORD-BASE64": base64.b64encode(right.encode()).decode()},
        "bad base64": {"X-API-PASSWORD-BASE64": "é="},
    }[asked.password]
    return {name: value.encode("utf-8") for name, value in (out | dict(asked.headers)).items()}
