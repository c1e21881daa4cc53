"""Making a plan: compared with the server, equal values dropped, each refused value with its reason, nothing sent."""

from __future__ import annotations

import secrets
from datetime import timedelta

import pytest

from flows.push.plan import plan_push
from flows.push.undo import add_wishes
from flows.push.wishes import WishedRow
from flows.session.clock import Clock
from flows.session.ready import open_ready
from schemas.errors import SettingsError


def cells(planned):
    return {(c.client_id, c.column): (c.before, c.after) for c in planned.plan.cells} if planned.plan else {}


def reasons(planned):
    return {(r.client_id, r.column): r.reason for r in planned.refused}


def test_only_what_differs_from_the_server_now_is_planned_and_nothing_is_sent(desk, box):
    one = box.make("One", city="Bern", custom_value1="x", settings={"currency_id": "3", "payment_terms": "7"})
    desk.pull()
    box.bulk("bulk_update", one["id"], column="custom_value1", new_value="theirs")  # the mirror does not know it yet
    desk.wire.reset()
    wished = {"city": " Bern ", "custom_value1": "x", "payment_terms": 14, "phone": "", "is_tax_exempt": True}
    planned = desk.plan((one["id"], wished))
    assert cells(planned) == {
        (one["id"], "custom_value1"): ("theirs", "x"), (one["id"], "payment_terms"): ("7", "14"),
        (one["id"], "is_tax_exempt"): (False, True),
    }  # fmt: skip
    assert (planned.unchanged, planned.refused) == (2, [])
    assert desk.wire.writes() == []


def test_each_value_that_cannot_be_written_says_why(desk, box):
    one = box.make("One", settings={"currency_id": "3"})
    deleted = box.make("Deleted")
    box.bulk("delete", deleted["id"])
    wished = {
        "country_id": "Germani", "industry_id": "9999", "city": "x" * 192, "name": "a <b> c", "classification": "firm",
        "number": None, "phone": "+41",
    }  # fmt: skip
    planned = desk.plan((one["id"], wished), (deleted["id"], {"custom_value1": "x"}), ("nobody", {"city": "x"}))
    told = reasons(planned)
    for column, words in {
        "country_id": "did you mean Germany", "industry_id": "not one of the server's industries",
        "city": "191 characters", "name": "HTML",
        "classification": "individual", "number": "new number",
    }.items():  # fmt: skip
        assert words in told[one["id"], column]
    assert "restore it first" in told[deleted["id"], "custom_value1"]
    assert "no such client" in told["nobody", "city"]
    assert cells(planned) == {(one["id"], "phone"): (None, "+41")}


def test_a_client_without_a_currency_keeps_its_bulk_columns_and_is_refused_a_put(desk, box):
    records = box.call("GET", "/api/v1/clients?per_page=100&sort=id%7Casc&status=active")["data"]
    bare = next(r for r in records if not r["settings"].get("currency_id"))
    tag = secrets.token_hex(4)
    wished = {f"custom_value{n}": f"{tag}{n}" for n in (1, 2, 3)}
    planned = desk.plan((bare["id"], {**wished, "city": tag}))
    assert "company's" in reasons(planned)[bare["id"], "city"]
    assert [call.verb for call in planned.plan.calls] == ["bulk_update"] * 3
    assert desk.apply(planned).as_planned
    assert "currency_id" not in {k for k, v in box.show(bare["id"])["settings"].items() if v}
    assert desk.plan((bare["id"], {"city": tag, "currency_id": "3"})).refused == []


def test_an_archived_clients_group_goes_by_a_put(desk, box):
    group = box.call("POST", "/api/v1/group_settings", {"name": f"Group {secrets.token_hex(4)}", "settings": {}})[
        "data"
    ]["id"]
    one, other = (box.make(n, settings={"currency_id": "1"}) for n in ("Active", "Archived"))
    box.bulk("archive", other["id"])
    planned = desk.plan((one["id"], {"group_settings_id": group}), (other["id"], {"group_settings_id": group}))
    assert [call.verb for call in planned.plan.calls] == ["assign_group", "update"]
    assert desk.apply(planned).as_planned
    assert {box.show(c["id"])["group_settings_id"] for c in (one, other)} == {group}
    back = desk.plan((one["id"], {"group_settings_id": None}))
    assert desk.apply(back).as_planned
    assert box.show(one["id"])["group_settings_id"] == ""


def rows(*told):
    return [WishedRow(f"row {n}", *one) for n, one in enumerate(told, start=1)]


def test_numbers_name_clients_by_the_mirror_and_doubt_is_refused(desk, box):
    tag = secrets.token_hex(4)
    one, other, twin = (box.make(n, number=f"K{tag}{n}", id_number=f"{tag}{n}") for n in "123")
    desk.pull()
    wishes = rows(
        ("number", f"k{tag}1", {"custom_value1": "x"}), ("id_number", f"{tag}2", {"custom_value1": "x"}),
        ("number", "unheard of", {"custom_value1": "x"}), ("id", "", {"custom_value1": "x"}),
        ("id", twin["id"], {"custom_value1": "x"}, "another source"), ("id", twin["id"], {"custom_value1": "y"}),
        ("id", twin["id"], {"custom_value1": "z"}),
    )  # fmt: skip
    planned = plan_push(desk.settings, "main", desk.door(), wishes)
    assert set(cells(planned)) == {(one["id"], "custom_value1"), (other["id"], "custom_value1")}
    told = [(r.place, r.reason) for r in planned.refused]
    assert [place for place, _ in told] == ["row 3", "row 4", "row 5", "row 7", "row 6"]
    expected = ["no client has this number. Check it", "empty", "of another source", "twice", "twice"]
    for (_, reason), words in zip(told, expected, strict=True):
        assert words in reason


def test_a_client_that_was_merged_away_says_where_it_went(desk, box):
    one, other = (box.make(n, contacts=[{"email": f"{n}@merged.test"}]) for n in ("Kept", "Lost"))
    desk.pull()
    box.call("POST", f"/api/v1/clients/{one['id']}/{other['id']}/merge")
    desk.pull()
    planned = desk.plan((other["id"], {"custom_value1": "x"}))
    assert f"into {one['id']}" in reasons(planned)[other["id"], "custom_value1"]


def test_the_outbox_is_taken_up_once_and_the_newer_wish_wins(desk, box):
    one = box.make("One", settings={"currency_id": "3"}, phone="1")
    for values in ({"city": "Bern", "custom_value1": "first"}, {"custom_value1": "second", "phone": ""}):
        add_wishes(desk.settings, "main", desk.door(), one["id"], values, reason="asked")
    planned = plan_push(desk.settings, "main", desk.door(), None)
    assert cells(planned) == {
        (one["id"], "city"): (None, "Bern"), (one["id"], "custom_value1"): (None, "second"),
        (one["id"], "phone"): ("1", None),
    }  # fmt: skip
    assert desk.query("select distinct plan_id from control.outbox") == [(planned.plan.plan_id,)]
    assert plan_push(desk.settings, "main", desk.door(), None).plan is None
    with pytest.raises(SettingsError, match="HTML"):
        add_wishes(desk.settings, "main", desk.door(), one["id"], {"name": "<b>"}, reason="")


def test_the_wishes_of_a_plan_that_expired_before_it_was_applied_are_free_again(desk, box):
    one = box.make("One")
    add_wishes(desk.settings, "main", desk.door(), one["id"], {"custom_value1": "asked"}, reason="asked")
    expired = plan_push(desk.settings, "main", desk.door(), None)
    later = Clock(lambda: expired.plan.expires_at + timedelta(minutes=1))
    again = plan_push(desk.settings, "main", desk.door(), None, clock=later)
    assert cells(again) == cells(expired) == {(one["id"], "custom_value1"): (None, "asked")}
    desk.apply(again, clock=later)
    much_later = Clock(lambda: again.plan.expires_at + timedelta(minutes=1))
    assert plan_push(desk.settings, "main", desk.door(), None, clock=much_later).plan is None


def test_a_refused_wish_of_the_outbox_is_told_why_and_is_not_in_the_plan(desk, box):
    one = box.make("One")
    with open_ready(desk.settings) as warehouse:
        for key, field, value in (
            (one["id"], "custom_value1", "x"),
            (one["id"], "country_id", "nowhere"),
            ("none", "city", "y"),
        ):
            warehouse.execute(
                "insert into control.outbox (source, id, field, value) values ('main', $id, $field, $value)",
                {"id": key, "field": field, "value": value},
            )
    planned = plan_push(desk.settings, "main", desk.door(), None)
    became = dict(desk.query("select field, plan_id from control.outbox"))
    assert became["custom_value1"] == planned.plan.plan_id
    assert became["country_id"].startswith("refused: ")
    assert "not one of the server's countries" in became["country_id"]
    assert became["city"].startswith("refused: ")
    assert plan_push(desk.settings, "main", desk.door(), None).refused == []


def test_a_wish_that_others_put_into_the_outbox_is_checked_like_any_other(desk, box):
    one = box.make("One")
    with open_ready(desk.settings) as warehouse:
        for field, value in (("custom_value1", "x"), ("country_id", "nowhere")):
            warehouse.execute(
                "insert into control.outbox (source, id, field, value) values ('main', $id, $field, $value)",
                {"id": one["id"], "field": field, "value": value},
            )
    planned = plan_push(desk.settings, "main", desk.door(), None)
    assert set(cells(planned)) == {(one["id"], "custom_value1")}
    assert "not one of the server's countries" in reasons(planned)[one["id"], "country_id"]


def test_another_companys_token_plans_nothing(desk, box):
    desk.pull()
    desk.token = box.sandbox.other_token
    with pytest.raises(SettingsError, match="another company"):
        desk.plan(("x", {"city": "Bern"}))
