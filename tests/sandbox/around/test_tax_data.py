"""updateTaxData: who may, and how often."""

from __future__ import annotations


def renew(api, client, token=None, **headers):
    path = f"/api/v1/clients/{client['id']}/updateTaxData"
    return api.post(path, headers={"X-API-TOKEN": token or api.sandbox.token, **headers})


def test_nothing_is_changed(api):
    client = api.make()
    api.switch(clock={"advance": 60})
    assert renew(api, client).json()["data"] == client


def test_the_count_is_the_users_in_all_companies(api):
    client = api.make()
    theirs = api.post("/api/v1/clients", json={}, headers={"X-API-TOKEN": api.sandbox.other_token}).json()["data"]
    assert renew(api, client).headers["x-ratelimit-remaining"] == "2"
    assert renew(api, theirs, api.sandbox.other_token).headers["x-ratelimit-remaining"] == "1"
    assert renew(api, client, api.sandbox.viewer_token).headers["x-ratelimit-remaining"] == "2"


def test_another_companys_client_is_not_refused(api):
    assert renew(api, api.make(), api.sandbox.other_token).status_code == 200


def test_after_a_minute_there_is_room_again(api):
    client = api.make()
    assert [renew(api, client).status_code for _ in range(4)] == [200, 200, 200, 429]
    api.switch(clock={"advance": 61})
    answer = renew(api, client)
    assert (answer.status_code, answer.headers["x-ratelimit-remaining"]) == (200, "2")


def test_a_new_limit_per_minute_empties_every_count(api):
    client = api.make()
    for _ in range(4):
        renew(api, client)
    api.post("/_sandbox/throttle", json={"per_minute": None})
    assert renew(api, client).status_code == 200


def test_of_two_limits_the_nearer_one_is_told(api):
    client = api.make()
    api.post("/_sandbox/throttle", json={"per_minute": 2})
    answer = renew(api, client)
    assert (answer.headers["x-ratelimit-limit"], answer.headers["x-ratelimit-remaining"]) == ("2", "1")
    api.post("/_sandbox/throttle", json={"per_minute": 100})
    answer = renew(api, client)
    assert (answer.headers["x-ratelimit-limit"], answer.headers["x-ratelimit-remaining"]) == ("3", "2")


def test_a_browser_is_sent_away_with_the_time_to_wait(api):
    client = api.make()
    for _ in range(3):
        renew(api, client)
    answer = renew(api, client, **{"X-Requested-With": ""})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    answer = renew(api, client, api.sandbox.viewer_token, **{"X-Requested-With": ""})
    assert (answer.status_code, answer.headers["x-ratelimit-remaining"]) == (403, "2")
