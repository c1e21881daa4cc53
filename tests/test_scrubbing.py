"""The filter of all cassettes: no secret gets through, in no form and at no place; everything else stays as it was."""

from __future__ import annotations

import base64
import json
import urllib.request
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vcr.request import Request

from sandbox.server import running
from tests.canaries import leaks, secrets_in
from tests.scrubbing import (
    HOST,
    HTML,
    NOTHING,
    PDF,
    SCRUBBED,
    Known,
    is_secret,
    scrub_request,
    scrub_response,
    scrub_text,
)

RECORDINGS = Path(__file__).parent / "recordings"
quick = settings(max_examples=150, derandomize=True, deadline=None, database=None)


def answer(body, **headers):
    kept = {"Content-Type": ["application/json"], **{k.replace("_", "-"): [v] for k, v in headers.items()}}
    return {"status": {"code": 200, "message": "OK"}, "headers": kept, "body": {"string": body}}


def scrubbed(body, known=NOTHING, **headers):
    return scrub_response(answer(body, **headers), known)["body"]["string"]


@pytest.fixture(scope="module")
def answers():
    """Answers of a sandbox with cards and documents, as they come; and what may not be left of them."""
    with running(clients=60, seed=5) as box:
        bodies = {}
        asked = {"list": "/clients?per_page=60", "company": "/companies/current", "ping": "/ping"}
        for name, path in asked.items():
            headers = {"X-API-TOKEN": box.token, "X-Requested-With": "XMLHttpRequest"}
            method = "POST" if name == "company" else "GET"
            request = urllib.request.Request(f"{box.url}/api/v1{path}", None, headers, method=method)  # noqa: S310
            with urllib.request.urlopen(request, timeout=60) as got:  # noqa: S310 - our own server
                bodies[name] = got.read()
        yield box, bodies


def test_no_secret_of_a_sandboxs_answers_is_left_and_no_host(answers):
    box, bodies = answers
    secrets = secrets_in(json.loads(bodies["list"])) | secrets_in(json.loads(bodies["company"]))
    assert len(secrets) > 180
    assert len({s for s in secrets if s.startswith(("pm_", "cus_"))}) > 1  # cards are among them
    assert len(leaks(secrets, iter(bodies.items()))) >= len(secrets)  # the control: they are there, and are found
    host = box.url.removeprefix("http://")
    left = {name: scrubbed(body, Known(renamed=((host, HOST),))) for name, body in bodies.items()}
    assert leaks(secrets | {host, "Olive Owner"}, iter(left.items())) == []


@pytest.mark.parametrize("name", ["clients_full_pull", "clients_second_pull", "companies_current", "ping"])
def test_no_secret_of_a_recording_is_left_and_all_else_is_as_it_was(name):
    for exchange in json.loads((RECORDINGS / f"{name}.json").read_text())["exchanges"][-1:]:
        sent = exchange["response"]["body"]
        secrets, left = secrets_in(json.loads(sent)), scrubbed(sent.encode())
        assert leaks(secrets, iter([(name, left)])) == []
        before, after = exactly(sent), exactly(left)
        assert after == without_secrets(before)
        assert left.count(b"\n") == sent.count("\n")  # it is not written anew
        assert (b"\\u" in left, b"\\/" in left) == ("\\u" in sent, "\\/" in sent)


def exactly(body):
    """Decoded, with the digits of each number as they stand."""
    return json.loads(body, parse_float=lambda digits: f"float {digits}", parse_int=lambda digits: f"int {digits}")


def without_secrets(value, secret=False):
    """What the filter is to make of a decoded answer, in a few plain lines."""
    if isinstance(value, dict):
        return {k: without_secrets(v, secret or is_secret(k)) for k, v in value.items()}
    if isinstance(value, list):
        return [without_secrets(v, secret) for v in value]
    if not secret or not isinstance(value, str) or not value:
        return value
    return "int 0" if value.startswith(("int ", "float ")) else SCRUBBED


def test_a_secret_keeps_its_presence_and_its_absence():
    record = {"client_hash": "zqWAMYLoP3", "contact_key": "", "gateway_tokens": [], "password": None, "token": 5}
    left = json.loads(scrubbed(json.dumps({"data": record}).encode()))["data"]
    assert left == {"client_hash": SCRUBBED, "contact_key": "", "gateway_tokens": [], "password": None, "token": 0}


def test_all_of_a_card_is_a_secret_and_its_shape_stays():
    card = {"id": "kQBeXDWeyK", "meta": {"last4": "4242", "exp_year": 2029, "type": True}, "archived_at": 0}
    left = json.loads(scrubbed(json.dumps({"gateway_tokens": [card]}).encode()))["gateway_tokens"]
    assert left == [{"id": SCRUBBED, "meta": {"last4": SCRUBBED, "exp_year": 0, "type": True}, "archived_at": 0}]


def test_a_request_keeps_that_it_had_a_token_and_a_password_and_nothing_of_them():
    headers = {
        "X-API-Token": "canary-token-1", "X-API-PASSWORD": "canary-password", "Cookie": "session=canary-cookie",
        "Accept": "application/json", "User-Agent": "somebody", "Host": "books.example.org", "accept-encoding": "gzip",
    }  # fmt: skip
    asked = Request(
        "GET", "https://books.example.org/api/v1/clients?portal_token=canary-query&sort=id|asc", b"", headers
    )
    left = scrub_request(asked)
    assert dict(left.headers) == {"Accept": "application/json", "X-API-TOKEN": SCRUBBED, "X-API-PASSWORD": SCRUBBED}
    assert left.uri == f"https://{HOST}/api/v1/clients?portal_token=scrubbed&sort=id%7Casc"
    assert (asked.headers["X-API-TOKEN"], asked.host) == ("canary-token-1", "books.example.org")  # it is a copy


def test_an_answer_keeps_the_headers_that_are_read_and_no_cookie_and_no_host():
    left = scrub_response(
        answer(
            b"", set_cookie="XSRF-TOKEN=canary", SET_COOKIE="canary", Server="books", X_APP_VERSION="5.10.42",
            Location="https://books.example.org/login?from=canary-token-1", Retry_After="39",
        ), Known(("canary-token-1",))
    )  # fmt: skip
    assert left["headers"] == {
        "Content-Type": ["application/json"], "X-APP-VERSION": ["5.10.42"], "Retry-After": ["39"],
        "Location": [f"https://{HOST}/login?from=scrubbed"],
    }  # fmt: skip


def test_pages_and_papers_are_replaced_whole_and_an_empty_body_stays_empty():
    assert scrubbed(b"<title>Company of somebody</title>", Content_Type="text/html; charset=UTF-8") == HTML.encode()
    assert scrubbed(b"%PDF-1.7 somebody \xff\xfe", Content_Type="application/pdf") == PDF.encode()
    assert scrubbed(b"", Content_Type="text/html") == b""


def test_links_of_a_server_behind_another_name_lose_that_name():
    body = b'{"meta":{"links":{"next":"http:\\/\\/10.1.2.3:8080\\/api\\/v1\\/clients?page=2"}},"website":"https://a.test/x"}'
    left = (
        b'{"meta":{"links":{"next":"http:\\/\\/ninja.test\\/api\\/v1\\/clients?page=2"}},"website":"https://a.test/x"}'
    )
    assert scrubbed(body) == left


def test_a_link_into_the_portal_has_no_key_wherever_it_stands():
    body = b'{"notes":"see https://a.test/client/key_login/short-key?x=1"}'
    assert scrubbed(body) == b'{"notes":"see https://ninja.test/client/key_login/scrubbed?x=1"}'
    assert scrub_text(b"https://a.test/client/key_login/short-key") == b"https://ninja.test/client/key_login/scrubbed"


def test_a_password_of_digits_is_found_among_numbers_and_what_is_left_is_json():
    assert scrubbed(b'{"size": 123456789012, "of": 5}', Known(("123456789012",))) == b'{"size": 0, "of": 5}'


@pytest.mark.parametrize("way", range(11))
def test_a_known_secret_is_found_in_each_form_by_itself(way):
    secret = "canary>>>???é-" + "x" * 8
    form = ways_of(secret)[way]
    for text in (form, f"<b>{form}</b>"):
        assert form not in json.loads(scrubbed(json.dumps({"notes": text}).encode(), Known((secret,))))["notes"]


def test_an_upload_is_the_same_with_each_random_boundary():
    def sent(boundary):
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        return scrub_request(
            Request("POST", "https://a.test/", f"--{boundary}\r\nx\r\n--{boundary}--".encode(), headers)
        )

    one, other = sent("d8f1c0a9b7e64f02"), sent("0123456789abcdef")
    assert (one.body, dict(one.headers)) == (other.body, dict(other.headers))


def test_what_is_no_json_is_searched_all_the_same():
    body = b"\xff{not json: dr7hFN1nqpyB702bbR3DKay5Z18pgjGQ, and canary-token-1"
    assert scrub_text(body, Known(("canary-token-1",))) == b"\xff{not json: scrubbed, and scrubbed"


secrets = st.text("abcdefghijkmnpqrstuvwxyzABCDEFGH23456789-+\"\\'é", min_size=16, max_size=40).filter(
    lambda text: len(set(text)) > 5 and any(c in "23456789" for c in text)
)
"""A secret that is an ordinary word is replaced at its own place alone."""
plain = st.one_of(
    st.text("abc äß/\\\"\n0.,:{}[]", max_size=12), st.integers(-10, 10**12), st.booleans(), st.none(),
    st.decimals(0, 10**6, places=6, allow_nan=False).map(float),
)  # fmt: skip
secret_keys = st.sampled_from(
    ["contact_key", "client_hash", "company_key", "smtp_password", "postmark_secret", "apiKey"]
)
keys = st.sampled_from(["id", "name", "notes", "settings", "data", "balance", "ärger", 'a"b'])
trees = st.recursive(plain, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4))


def ways_of(secret):
    """A secret as it can stand in a text: as it is, in JSON, quoted for an address, in hex, in base64."""
    raw = secret.encode()
    return [
        secret, json.dumps(secret), json.dumps(secret, ensure_ascii=False), quote(secret, safe=""), raw.hex(),
        raw.hex().upper(), *(base64.b64encode(b"x" * n + raw + b"yyy").decode() for n in range(3)),
        base64.urlsafe_b64encode(raw + b"yyy").decode(), f"see {secret}.", json.dumps({"log": {"token": secret}}),
    ]  # fmt: skip


@st.composite
def planted(draw):
    """An answer with a secret under a key that says so, and copies of it at random places in random forms."""
    secret, tree = draw(secrets), draw(trees)
    copies = draw(st.lists(st.sampled_from(ways_of(secret)), max_size=3))
    places = [{draw(secret_keys): secret}, *({draw(keys): copy} for copy in copies), tree]
    for _ in range(draw(st.integers(0, 3))):  # deeper
        places = [{draw(keys): places}]
    body = json.dumps(
        {"data": draw(st.permutations(places))},
        indent=draw(st.sampled_from([None, 4])),
        ensure_ascii=draw(st.booleans()),
    )
    return secret, body.replace("/", "\\/") if draw(st.booleans()) else body


@quick
@given(planted())
def test_a_planted_secret_is_found_in_every_form_and_what_is_left_is_json(given_):
    secret, body = given_
    left = scrubbed(body.encode())
    assert leaks({secret}, everything(body.encode()))  # the control: it was there
    assert leaks({secret}, everything(left)) == []
    assert shape(json.loads(left)) == shape(json.loads(body))
    assert scrubbed(left) == left


def everything(body):
    """A body as it stands, and all its texts as they are read."""
    yield "as it stands", body
    yield "decoded", "\n".join(texts(json.loads(body))).encode()


def texts(value):
    if isinstance(value, dict):
        return [text for pair in value.items() for one in pair for text in texts(one)]
    return [text for one in value for text in texts(one)] if isinstance(value, list) else [str(value)]


def shape(value):
    if isinstance(value, dict):
        return {k: shape(v) for k, v in value.items()}
    return [shape(v) for v in value] if isinstance(value, list) else type(value)


@quick
@given(tree=trees, indent=st.sampled_from([None, 4]), escaped=st.booleans())
def test_an_answer_without_a_secret_is_left_to_the_byte(tree, indent, escaped):
    body = json.dumps({"data": tree}, indent=indent, ensure_ascii=escaped).encode()
    assert scrubbed(body) == body


@quick
@given(secret=secrets, tree=trees, data=st.data())
def test_what_the_recorder_has_sent_is_found_in_whatever_request_it_stands(secret, tree, data):
    copies = data.draw(st.lists(st.sampled_from(ways_of(secret)), min_size=1, max_size=3))
    body = json.dumps([tree, *({"name": copy} for copy in copies)]).encode()
    asked = Request("POST", f"https://a.test/api/v1/clients?name={quote(copies[0])}", body, {"X-API-TOKEN": secret})
    left = scrub_request(asked, Known((secret,)))
    assert (
        leaks(
            {secret}, iter([("body", left.body), ("uri", left.uri.encode()), ("headers", repr(left.headers).encode())])
        )
        == []
    )
    again = scrub_request(left, Known((secret,)))
    assert (again.body, again.uri, dict(again.headers)) == (left.body, left.uri, dict(left.headers))
