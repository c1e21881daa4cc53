"""Webhooks beyond the recorded scenario, and the mails that never go out."""

from __future__ import annotations

import pytest

GOOD = {"target_url": "https://hook.example.com/x?y=1", "event_id": "10"}


def made(api, **more) -> dict:
    answer = api.post("/api/v1/webhooks", json=GOOD | more)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def test_what_is_not_sent_has_its_default(api):
    webhook = made(api)
    assert (webhook["rest_method"], webhook["format"], webhook["headers"]) == ("post", "JSON", [])
    assert made(api, rest_method=None, format="ubl", headers={"a": "b"}) | {"id": 1} == webhook | {
        "id": 1, "format": "UBL", "headers": {"a": "b"},
    }  # fmt: skip


@pytest.mark.parametrize("event", ["1", 1, 1.0, "01", True, "63"])
def test_events_are_compared_as_php_compares(api, event):
    assert api.post("/api/v1/webhooks", json=GOOD | {"event_id": event}).status_code == 200


@pytest.mark.parametrize("event", ["0", 64, "1a", "x", False, ["1"], "1e999"])
def test_an_event_that_does_not_exist_is_a_bare_text(api, event):
    answer = api.post("/api/v1/webhooks", json=GOOD | {"event_id": event})
    assert (answer.status_code, answer.text) == (400, '"Invalid event"')


@pytest.mark.parametrize(
    "url", ["abc", "http://", "https://a b", "//x.example.com", ["https://x.example.com"], 5, True]
)
def test_a_target_must_be_an_address(api, url):
    answer = api.post("/api/v1/webhooks", json=GOOD | {"target_url": url})
    assert answer.json()["errors"] == {"target_url": ["The target url must be a valid URL."]}


@pytest.mark.parametrize(
    "url", ["http://localhost:8000", "https://u:p@x.example.com/", "http://127.0.0.1/#a", "ftp://[::1]/"]
)
def test_addresses_of_many_forms_are_taken(api, url):
    assert made(api, target_url=url)["target_url"] == url


def test_a_change_needs_the_address_and_the_event_again(api):
    path = f"/api/v1/webhooks/{made(api, headers={'a': 'b'})['id']}"
    assert set(api.put(path, json={}).json()["errors"]) == {"target_url", "event_id"}
    changed = api.patch(path, json=GOOD | {"event_id": "999", "rest_method": "put"}).json()["data"]
    assert (changed["event_id"], changed["rest_method"], changed["headers"]) == ("999", "put", {"a": "b"})
    assert api.put(path, json=GOOD | {"event_id": ["1"]}).status_code == 500


def test_webhooks_are_their_companys_admins(api):
    path = f"/api/v1/webhooks/{made(api)['id']}"
    for token in (api.sandbox.viewer_token, api.sandbox.other_token):
        headers = {"X-API-TOKEN": token}
        assert api.get(path, headers=headers).status_code == 401
        assert api.put(path, json=GOOD, headers=headers).status_code == 401
        assert api.delete(path, headers=headers).status_code == 401
        assert api.get("/api/v1/webhooks", headers=headers).json()["data"] == []
    assert api.post("/api/v1/webhooks", json=GOOD, headers={"X-API-TOKEN": api.sandbox.viewer_token}).status_code == 401
    assert api.get(path + "/edit").json() == api.get(path).json()


def test_unknown_and_numeric_ids(api):
    assert api.get("/api/v1/webhooks/zzzzzzzzzz").json() == {
        "message": "No query results for model [App\\Models\\Webhook]."
    }
    assert api.get("/api/v1/webhooks/5").json() == {"message": "Record with value 5 not found"}


def test_many_are_archived_deleted_and_restored_at_once(api):
    ids = [made(api)["id"], made(api)["id"]]

    def bulk(action, wanted=ids, **headers):
        return api.post("/api/v1/webhooks/bulk", json={"action": action, "ids": wanted}, headers=headers)

    assert [row["is_deleted"] for row in bulk("delete").json()["data"]] == [True, True]
    assert api.put(f"/api/v1/webhooks/{ids[0]}", json=GOOD).status_code == 400
    assert [(row["is_deleted"], row["archived_at"]) for row in bulk("restore").json()["data"]] == [(False, 0)] * 2
    assert all(row["archived_at"] for row in bulk("archive", [*ids, "zzzzzzzzzz"]).json()["data"])
    assert bulk("archive", []).status_code == 422
    assert bulk("purge").status_code == 401
    assert bulk("delete", **{"X-API-TOKEN": api.sandbox.viewer_token}).status_code == 401
    assert bulk("delete", **{"X-API-TOKEN": api.sandbox.other_token}).json()["data"] == []
    assert len(api.get("/api/v1/webhooks").json()["data"]) == 2


def test_a_message_that_never_bounced_is_not_found(api):
    answer = api.post("/api/v1/reactivate_email/12-34")
    assert (answer.status_code, answer.json()) == (400, {"message": "Bounce ID not found"})
