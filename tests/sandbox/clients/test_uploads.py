"""Files that are sent to the sandbox, beyond the recorded scenarios."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest

from sandbox.books.file_kinds import kind_of, pixels
from sandbox.clients import files as client_files
from sandbox.php.input import read_files, read_input
from sandbox.php.multipart import Upload
from sandbox.server import create_app
from tests.sandbox.conftest import NOW, Api

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 30, 20) + b"\x08\x02\0\0\0"
ODF = "application/vnd.oasis.opendocument."


def zipped(**files: str) -> bytes:
    """A zip archive with these files, the first one first; `__` stands for a slash."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/"), content)
    return out.getvalue()


OFFICE = {"[Content_Types].xml": "<Types/>", "_rels__.rels": "<Relationships/>"}


def send(api, client, *files, **form):
    """The recorded way: a POST that says it is a PUT."""
    parts = [("documents[]", (name, content)) for name, content in files]
    return api.post(f"/api/v1/clients/{client['id']}/upload", data={"_method": "PUT", **form}, files=parts)


def documents_of(api, client):
    return api.get(f"/api/v1/clients/{client['id']}").json()["data"]["documents"]


def test_the_bytes_come_back_as_they_were_sent(api):
    client, content = api.make(), PNG + bytes(range(256)) + b"\r\n--\r\n\r\n"
    (document,) = send(api, client, ("Größe.png", content)).json()["data"]["documents"]
    assert (document["name"], document["type"], document["size"]) == ("Größe.png", "png", len(content))
    assert (document["width"], document["height"]) == (30, 20)
    assert document["user_id"] == client["user_id"]
    answer = api.get(document["url"])
    assert answer.content == content
    assert answer.headers["content-disposition"] == f"attachment; filename={document['hash']}"
    assert api.get(document["url"] + "?inline=true").headers["content-disposition"] == "inline"


@pytest.mark.parametrize("state", ["archive", "delete"])
def test_clients_in_any_state_take_files_and_are_touched(api, state):
    client = api.make()
    api.bulk(state, client["id"])
    api.switch(clock={"advance": 60})
    answer = send(api, client, ("a.txt", b"hello")).json()["data"]
    assert len(answer["documents"]) == 1
    assert answer["updated_at"] == client["updated_at"] + 60


def test_a_file_that_is_not_saved_touches_nothing(api):
    client = api.make()
    api.switch(clock={"advance": 60})
    for field in ("documents", "file", "file[]", "x"):
        parts = [(field, ("a.txt", b"hello"))]
        answer = api.post(f"/api/v1/clients/{client['id']}/upload", data={"_method": "PUT"}, files=parts)
        assert answer.status_code == 200
        assert (answer.json()["data"]["documents"], answer.json()["data"]["updated_at"]) == ([], client["updated_at"])


@pytest.mark.parametrize("field", ["documents", "documents[]", "file", "file[]", "documents[x]"])
def test_a_program_is_refused_under_the_name_it_was_sent_by(api, field):
    client = api.make()
    parts = [(field, ("a.txt", b"MZ\x90\0" + bytes(60)))]
    answer = api.post(f"/api/v1/clients/{client['id']}/upload", data={"_method": "PUT"}, files=parts)
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [field.replace("[]", ".0").replace("[x]", ".x")]


def test_one_refused_file_refuses_all(api):
    client = api.make()
    answer = send(api, client, ("a.txt", b"hello"), ("b.txt", b"h"))
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["documents.1"])
    assert documents_of(api, client) == []


def test_a_file_may_be_too_large(api, monkeypatch):
    monkeypatch.setattr(client_files, "LARGEST", 1)
    client = api.make()
    assert send(api, client, ("a.txt", b"x" * 1024)).status_code == 200
    errors = send(api, client, ("a.txt", b"x" * 1025)).json()["errors"]
    assert errors == {"documents.0": ["The documents.0 must not be greater than 1 kilobytes."]}


@pytest.mark.parametrize(("sent", "public"), [("0", False), ("false", False), ("1", True), ("yes", True), ("", True)])
def test_a_file_is_public_unless_told(api, sent, public):
    (document,) = send(api, api.make(), ("a.txt", b"hello"), is_public=sent).json()["data"]["documents"]
    assert document["is_public"] is public


def test_who_may_not_edit_may_not_upload(api):
    client = api.make()
    headers = {"X-API-TOKEN": api.sandbox.viewer_token}
    path = f"/api/v1/clients/{client['id']}/upload"
    parts = [("documents[]", ("a.txt", b"hello"))]
    assert api.post(path, data={"_method": "PUT"}, files=parts, headers=headers).status_code == 401
    headers = {"X-API-TOKEN": api.sandbox.other_token}
    assert api.post(path, data={"_method": "PUT"}, files=parts, headers=headers).status_code == 401
    assert documents_of(api, client) == []


def test_php_reads_a_form_with_files_in_a_post_only(api):
    client = api.make()
    parts = [("documents[]", ("a.txt", b"hello"))]
    assert api.put(f"/api/v1/clients/{client['id']}/upload", files=parts).json()["data"]["documents"] == []
    assert api.post(f"/api/v1/clients/{client['id']}/upload", files=parts).status_code == 404


@pytest.mark.parametrize("verb", ["POST", "post", "TRACE"])
def test_other_verbs_in_the_form_find_no_route(api, verb):
    answer = send(api, api.make(), ("a.txt", b"hello"), _method=verb)
    assert (answer.status_code, answer.json()) == (404, {"message": "Method not supported for this route"})


def test_json_may_name_another_verb(api):
    client = api.make("One")
    path = f"/api/v1/clients/{client['id']}"
    assert api.post(path, json={"_method": "put", "name": "Two"}).json()["data"]["name"] == "Two"
    assert api.post(path, json={"_method": "DELETE"}).json()["data"]["is_deleted"] is True
    assert api.post(path, json={"_method": ["DELETE"]}).status_code == 404


def test_a_put_of_the_client_saves_files_and_nothing_else(api):
    client = api.make("One")
    parts = [("documents[]", ("a.txt", b"hello"))]
    answer = api.post(f"/api/v1/clients/{client['id']}", data={"_method": "PUT", "name": "Two"}, files=parts)
    assert answer.json()["data"]["name"] == "One"
    assert [document["name"] for document in answer.json()["data"]["documents"]] == ["a.txt"]
    parts = [("documents[]", ("a.exe", b"MZ\0\0"))]
    assert api.post(f"/api/v1/clients/{client['id']}", data={"_method": "PUT"}, files=parts).status_code == 422


def test_the_documents_of_a_client_are_paged(api):
    client = api.make()
    send(api, client, *((f"{n}.txt", b"hello") for n in range(3)))
    path = f"/api/v1/clients/{client['id']}/documents"
    answer = api.post(path, json={"per_page": 2, "page": 2}).json()
    assert [document["name"] for document in answer["data"]] == ["2.txt"]
    assert answer["meta"]["pagination"]["total"] == 3
    assert api.post(path, json={"updated_at": 1_790_000_001}).json()["data"] == []
    assert api.post(path, headers={"X-API-TOKEN": api.sandbox.other_token}).status_code == 401
    assert api.post(path, headers={"X-API-TOKEN": api.sandbox.viewer_token}).json()["data"] == []


def test_documents_have_routes_of_their_own(api):
    client = api.make()
    (document,) = send(api, client, ("a.txt", b"hello")).json()["data"]["documents"]
    path = f"/api/v1/documents/{document['id']}"
    assert api.get("/api/v1/documents").json()["data"] == [document]
    assert api.get(path).json()["data"] == document
    assert api.put(path, json={"name": "b.txt", "is_public": False}).json()["data"]["name"] == "b.txt"
    assert documents_of(api, client)[0]["is_public"] is False
    for token in (api.sandbox.viewer_token, api.sandbox.other_token):
        assert api.get(path + "/download", headers={"X-API-TOKEN": token}).status_code == 401
    assert api.delete(path).status_code == 412
    assert api.delete(path, headers={"X-API-PASSWORD": api.sandbox.password}).json() == {"message": "Success"}
    assert api.get(path).status_code == 400
    assert documents_of(api, client) == []


def test_a_purge_leaves_no_bytes_behind(api):
    client = api.make()
    send(api, client, ("a.txt", b"hello"))
    api.post(f"/api/v1/clients/{client['id']}/purge", headers={"X-API-PASSWORD": api.sandbox.password})
    assert api.world.db.execute("SELECT count(*) FROM document_contents").fetchone() == (0,)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", None), (b"x", None), (b"xy", "txt"), ("Größe".encode(), "txt"), ("Größe".encode("latin-1"), "txt"),
        ("Größe".encode("utf-16"), "txt"), (b"a,b\n1,2\n", "txt"), (b"a,b\n1,2\n3,4\n", "csv"),
        (b'a,b\n"1,5",2\n3,4\n', "csv"), (b"a,b\n1\n3,4\n", "txt"), (b"a;b\n1;2\n3;4\n", "txt"),
        (b"%PDF-1.4\n", "pdf"), (PNG, "png"), (b"\xff\xd8\xff\xe0", "jpg"), (b"GIF89a", "gif"), (b"8BPS\0\1", "psd"),
        (b"II*\0", "tiff"), (b"RIFF\0\0\0\0WEBP", "webp"), (b"RIFF\0\0\0\0WAVE", None), (b"%!PS-Adobe-3.0\n", "ai"),
        (b'<?xml version="1.0"?><a/>', "xml"), (b"<html><body>", None), (b'<svg xmlns="x">', None),
        (b'{"a": 1}', None), (b"[1, 2]", None), (b"{not json", "txt"), (b"#!/bin/sh\n", None), (b"<?php echo 1;", None),
        (b"{\\rtf1}", None), (b"\x7fELF\0\0", None), (b"MZ\x90\0", None), (zipped(a="text"), "zip"),
        (zipped(mimetype=ODF + "text"), "odt"), (zipped(mimetype=ODF + "spreadsheet"), "ods"),
        (zipped(mimetype=ODF + "presentation"), "odp"), (zipped(mimetype=ODF + "chart"), "zip"),
        (zipped(**OFFICE, word__document="x"), "docx"), (zipped(**OFFICE, xl__workbook="x"), "xlsx"),
        (zipped(**OFFICE, ppt__presentation="x"), "pptx"), (zipped(**OFFICE, visio__document="x"), "zip"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "WordDocument".encode("utf-16-le"), "doc"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", None),
    ],
)  # fmt: skip
def test_the_content_alone_decides_the_kind(content, kind):
    assert kind_of(content) == kind


def test_the_size_of_a_picture_is_read_from_it():
    assert pixels(PNG) == (30, 20)
    assert pixels(b"GIF89a" + struct.pack("<HH", 7, 5)) == (7, 5)
    assert pixels(b"8BPS\0\1" + bytes(8) + struct.pack(">II", 5, 7)) == (7, 5)
    jpeg = b"\xff\xd8\xff\xe0\0\4ab" + b"\xff\xc0\0\x0b\x08" + struct.pack(">HH", 5, 7)
    assert pixels(jpeg) == (7, 5)
    assert pixels(jpeg[:-1]) == pixels(PNG[:20]) == pixels(b"hello") == (0, 0)


def form(*parts: bytes) -> bytes:
    return b"".join(b"--b\r\nContent-Disposition: form-data; " + part + b"\r\n" for part in parts) + b"--b--\r\n"


def test_fields_and_files_are_apart_and_named_as_php_names_them():
    body = form(
        b'name="a[x][]"\r\n\r\n1', b'name="a[x][]"\r\n\r\n 2 ', b'name="documents[]"\r\n\r\ntext',
        b'name="documents[]"; filename="C:\\\\dir\\\\b.txt"\r\n\r\nb\r\n', b'name="documents[]"; filename=""\r\n\r\n',
        b'name="one"; filename="c.txt"\r\nContent-Transfer-Encoding: base64\r\n\r\naGk=',
    )  # fmt: skip
    kind = "multipart/form-data; boundary=b"
    assert read_input("a=0&q=1", body, kind) == {"a": {"x": ["1", "2"]}, "q": "1", "documents": ["text"]}
    assert read_files(body, kind) == {"documents": [Upload("b.txt", b"b\r\n")], "one": Upload("c.txt", b"aGk=")}


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=other", "text/plain"])
def test_a_form_that_cannot_be_read_has_nothing_in_it(kind):
    body = form(b'name="a"\r\n\r\n1')
    assert read_input("", body, kind) == read_files(body, kind) == {}


def test_documents_in_a_post_leave_an_empty_client(api):
    answer = api.post("/api/v1/clients", json={"name": "One", "documents": [{"id": "x"}]}).json()["data"]
    assert (answer["name"], answer["number"], answer["contacts"], answer["country_id"]) == ("", "", [], "840")
    assert answer["settings"] == {"entity": "App\\Models\\Client", "industry_id": "", "size_id": ""}
    assert api.make("Two", documents=[])["name"] == "Two"
    parts = [("documents[]", ("a.txt", b"hello"))]
    assert api.post("/api/v1/clients", data={"name": "Three"}, files=parts).status_code == 500
    assert len(api.rows()) == 2


def test_a_document_that_is_no_array_breaks_the_server(api):
    client = api.make()
    assert api.put(f"/api/v1/clients/{client['id']}", json={"documents": ["x"]}).status_code == 500
    assert api.post("/api/v1/clients", json={"documents": [None]}).status_code == 500


def test_documents_of_a_put_are_left_out_since_5_12():
    with Api(create_app(clock=lambda: NOW, behaves_like="5.12")) as api:
        client = api.make("One")
        answer = api.put(f"/api/v1/clients/{client['id']}", json={"name": "Two", "documents": [{"id": "x"}]})
        assert answer.json()["data"]["name"] == "Two"


MUST_BE_A_LIST = "The {} must be an array."


@pytest.fixture
def later():
    with Api(create_app(clock=lambda: NOW, behaves_like="5.12")) as api:
        yield api


@pytest.mark.parametrize("field", ["documents", "file"])
def test_5_12_refuses_an_upload_that_is_no_list_of_files(later, field):
    client = later.make()
    address, text = f"/api/v1/clients/{client['id']}/upload", ("a.txt", b"hello")
    single = later.post(address, data={"_method": "PUT"}, files=[(field, text)])
    as_json = [later.put(address, json={field: sent}) for sent in ("hello", None, 5)]
    for answer in (single, *as_json):
        assert (answer.status_code, answer.json()["errors"]) == (422, {field: [MUST_BE_A_LIST.format(field)]})
    (name,) = (answer := later.put(address, json={field: ["hello"]})).json()["errors"]
    assert (answer.status_code, name) == (422, f"{field}.0")
    assert documents_of(later, client) == []


@pytest.mark.parametrize("field", ["documents[]", "file[]", "x"])
def test_5_12_takes_lists_and_ignores_other_names_as_5_10_does(later, field):
    client = later.make()
    parts = [(field, ("a.txt", b"hello"))]
    answer = later.post(f"/api/v1/clients/{client['id']}/upload", data={"_method": "PUT"}, files=parts)
    assert answer.status_code == 200
    assert len(documents_of(later, client)) == (field == "documents[]")
