"""The bulk action `template`, beyond the recorded scenario."""

from __future__ import annotations

import uuid


def design(api) -> str:
    return api.post("/_sandbox/designs", json={"name": "Letter"}).json()["id"]


def test_a_design_that_exists_gives_the_name_of_the_pdf_to_come(api):
    client = api.make()
    answer = api.bulk("template", client["id"], template_id=design(api))
    assert answer.status_code == 200
    assert uuid.UUID(answer.json()["message"]).version == 4
    assert api.get(f"/api/v1/clients/{client['id']}").json()["data"] == client


def test_it_may_go_out_by_mail(api):
    answer = api.bulk("template", api.make()["id"], template_id=design(api), send_email=True)
    assert answer.json() == {"message": "email sent"}


def test_who_may_see_clients_may_have_them_in_a_design(api):
    body = {"action": "template", "ids": [api.make()["id"]], "template_id": design(api)}
    assert (
        api.post("/api/v1/clients/bulk", json=body, headers={"X-API-TOKEN": api.sandbox.viewer_token}).status_code
        == 200
    )


def test_the_ids_are_checked_before_the_design(api):
    assert api.bulk("template", "zzzzzzzzzz", template_id=design(api)).status_code == 422
    assert api.bulk("template", api.make()["id"], template_id=["x"]).status_code == 500


def test_an_array_is_stored_as_php_writes_it(api):
    client = api.make()
    answer = api.bulk("bulk_update", client["id"], column="custom_value1", new_value={"a": ["é/", 1]})
    assert answer.json()["data"][0]["custom_value1"] == '{"a":["\\u00e9\\/",1]}'


def test_the_client_with_the_lowest_number_decides_who_may_change_all(api):
    first, second = api.make(), api.make()
    viewer = {"X-API-TOKEN": api.sandbox.viewer_token}
    api.world.db.execute("UPDATE clients SET assigned_user_id = 2 WHERE client_hash = ?", (first["client_hash"],))
    body = {"action": "bulk_update", "column": "custom_value1", "new_value": "x", "ids": [second["id"], first["id"]]}
    answer = api.post("/api/v1/clients/bulk", json=body, headers=viewer)
    assert [row["custom_value1"] for row in answer.json()["data"]] == ["x", "x"]
    api.world.db.execute("UPDATE clients SET assigned_user_id = NULL")
    api.world.db.execute("UPDATE clients SET assigned_user_id = 2 WHERE client_hash = ?", (second["client_hash"],))
    assert api.post("/api/v1/clients/bulk", json=body, headers=viewer).status_code == 500
