"""A file of corrections: what becomes of each value, edits, the rows to correct, and the plan."""

from __future__ import annotations

import secrets

import pytest

from flows.ask.files import as_csv
from flows.push.added_columns import add_column, lacked_fields
from flows.push.corrections import begin, check, choose, edit, plan_correction, read_again, shown, wishes_of
from flows.push.grid import State, refused_rows
from flows.push.to_correct import clients_to_correct
from flows.sheets.spreadsheets import Reading
from flows.sheets.workbooks import as_workbook
from schemas.errors import SettingsError


def started(desk, text, *choices, **how):
    """A file of these lines whose columns are chosen, or as suggested."""
    correction = begin(desk.settings, "main", "changes.csv", text.encode())
    told = {"blank_clears": False, "decimal": None, "null_words": None, **how}
    return choose(correction, choices or correction.choices, **told)


def checked(desk, correction, **more):
    return check(desk.settings, correction, desk.door(), **more)


def states(grid):
    return {line.line: [str(value.state) for value in line.values] for line in grid.lines}


@pytest.fixture
def three(desk, box):
    """Three clients with numbers, mirrored."""
    tag = secrets.token_hex(4)
    made = [
        box.make(f"Client {n}", number=f"{tag}{n}", city="Bern", country_id="276", settings={"currency_id": "3"})
        for n in (1, 2, 3)
    ]
    box.bulk("delete", made[2]["id"])
    desk.pull()
    return made


def test_each_value_is_shown_before_and_after_or_with_its_reason_and_nothing_is_stored(desk, box, three):
    one, two, gone = three
    desk.wire.reset()
    grid = checked(desk, started(
        desk,
        "Number;City;Country;Street\n"
        f"{one['number']};Genf;Switzerland;\n{two['number']};Bern;Atlantis;Gasse 1\n"
        f"{gone['number']};Genf;CH;\nnobody;Genf;CH;x\n",
    ))  # fmt: skip
    assert states(grid) == {
        2: ["change", "change", "blank"], 3: ["same", "refused", "change"], 4: ["refused", "refused", "blank"],
        5: ["refused", "refused", "refused"],
    }  # fmt: skip
    assert (grid.changing, grid.clients, grid.refused, grid.refused_rows, grid.same) == (3, 2, 6, 3, 1)
    first, second, third, fourth = grid.lines
    assert [(value.before, value.after) for value in first.values] == [("Bern", "Genf"), ("276", "756"), (None, None)]
    assert (first.client_id, first.number, first.name) == (one["id"], one["number"], "Client 1")
    assert "not one of the server's countries" in second.values[1].reason
    assert (third.reason, [value.reason for value in third.values]) == (
        "the client is deleted: restore it first",
        [""] * 3,
    )
    assert "no client has this number" in fourth.reason
    assert desk.query("select count(*) from control.plans") == [(0,)]
    assert desk.wire.writes() == []


def test_progress_of_reading_the_clients_is_reported(desk, three):
    text = "Number;City\n" + "".join(f"{client['number']};Genf\n" for client in three)
    reports = []
    checked(desk, started(desk, text), progress=lambda *report: reports.append(report))
    assert reports[-1] == ("clients read", 3, 3)


def test_a_name_or_an_e_mail_address_names_a_client_if_only_one_has_it(desk, box):
    tag = secrets.token_hex(4)
    one, _, _, gone = (
        box.make(f"{name} {tag}", settings={"currency_id": "3"}, contacts=[{"email": f"{name}@{tag}.test"}])
        for name in ("One", "Twin", "Twin", "One")
    )
    box.bulk("delete", gone["id"])
    desk.pull()
    by_name = started(desk, f"Name;City\none {tag} ;Genf\nTwin {tag};Genf\nNobody;Genf\n")
    assert by_name.choices[0] == "key:name"
    grid = checked(desk, by_name)
    assert states(grid) == {2: ["change"], 3: ["refused"], 4: ["refused"]}
    assert grid.lines[0].client_id == one["id"]
    assert "2 clients have this name" in grid.lines[1].reason
    assert "no client has this name" in grid.lines[2].reason
    grid = checked(desk, started(desk, f"E-mail;City\nONE@{tag}.test;Genf\nold@{tag}.test;x\nTwin@{tag}.test;Thun\n"))
    assert [line.client_id for line in grid.lines] == [one["id"], "", ""]
    assert "2 clients have this email" in grid.lines[2].reason


def test_a_client_that_has_another_name_on_the_server_by_now_is_refused(desk, box):
    tag = secrets.token_hex(4)
    one = box.make(f"One {tag}", settings={"currency_id": "3"}, contacts=[{"email": f"one@{tag}.test"}])
    desk.pull()
    contact = {"id": one["contacts"][0]["id"], "email": f"new@{tag}.test"}
    box.call(
        "PUT", f"/api/v1/clients/{one['id']}", {"name": "Renamed", "settings": one["settings"], "contacts": [contact]}
    )
    for key, text in (("Name", f"One {tag}"), ("E-mail", f"one@{tag}.test")):
        (line,) = checked(desk, started(desk, f"{key};City\n{text};Genf\n")).lines
        assert "another client has this" in line.values[0].reason


def test_blank_cells_empty_a_field_only_if_a_person_says_so(desk, three):
    text = f"Number;City;Street\n{three[0]['number']};;Gasse 1\n"
    assert states(checked(desk, started(desk, text))) == {2: ["blank", "change"]}
    grid = checked(desk, started(desk, text, blank_clears=True))
    assert [(value.before, value.after) for value in grid.lines[0].values] == [("Bern", None), (None, "Gasse 1")]


def test_a_plan_has_the_values_of_the_grid_and_afterwards_they_are_already_so(desk, box, three):
    correction = started(
        desk, f"Number;City;Country\n{three[0]['number']};Genf;Atlantis\n{three[1]['number']};Thun;CH\n"
    )
    grid = checked(desk, correction)
    planned = plan_correction(desk.settings, correction, desk.door(), reason="moved")
    wanted = {
        (line.client_id, value.column, value.before, value.after)
        for line in grid.lines for value in line.values if value.state is State.CHANGE
    }  # fmt: skip
    assert {(c.client_id, c.column, c.before, c.after) for c in planned.plan.cells} == wanted
    assert (planned.plan.reason, len(planned.refused)) == ("moved", 1)
    assert desk.apply(planned).as_planned
    assert box.show(three[1]["id"])["city"] == "Thun"
    again = checked(desk, correction)
    assert (again.changing, again.same, again.refused) == (0, 3, 1)


def test_edits_are_taken_row_by_row_and_a_left_out_row_asks_for_nothing(desk, three):
    one, two, _ = three
    correction = started(desk, f"Number;City\nnobody;Genf\n{two['number']};Thun\n")
    unchanged = edit(correction, {(2, 0): "nobody", (2, 1): "Genf"}, {2: False, 3: False})
    assert unchanged.asks_for == correction.asks_for
    edited = edit(correction, {(2, 0): one["number"], (9, 1): "x", (2, 9): "x"}, {3: True})
    assert edited.asks_for != correction.asks_for
    assert [(row.client, dict(row.values)) for row in wishes_of(edited)] == [(one["number"], {"city": "Genf"})]
    assert states(checked(desk, edited)) == {2: ["change"]}
    back = edit(edited, {(2, 0): "nobody"}, {3: False})
    assert back.asks_for == correction.asks_for
    assert shown(edited, edited.read.table.rows[0], 0) == one["number"]


def test_an_edit_of_lines_of_text_does_not_see_a_change_where_a_browser_makes_other_line_ends(desk):
    correction = started(desk, 'id,private_notes\na,"one\ntwo"\n')
    assert edit(correction, {(2, 1): "one\r\ntwo"}, {}).edits == {}


def test_a_row_of_another_length_can_be_mended_by_an_edit(desk, three):
    correction = started(desk, f"Number,City,Street\n{three[0]['number']},Genf\n")
    grid = checked(desk, correction)
    assert (grid.refused, grid.lines[0].reason) == (1, "the row has 2 values, and line 1 has 3 headings")
    assert states(checked(desk, edit(correction, {(2, 2): "Gasse 1"}, {}))) == {2: ["change", "change"]}


def test_refused_rows_come_back_with_their_reasons_and_can_be_uploaded_again(desk, three):
    one, two, _ = three
    text = (
        f"Number;City;Country;Remark\n{one['number']};Genf;Atlantis;=1+1\n{two['number']};Genf;CH;fine\n"
        "nobody;Genf;;+41\n"
    )
    correction = started(desk, text)
    result = refused_rows(checked(desk, correction), correction.columns, correction.rows, {})
    assert list(result.columns) == ["Number", "City", "Country", "Remark", "reason"]
    assert [row[0] for row in result.rows] == [one["number"], "nobody"]
    assert result.rows[0][-1].startswith("Country is not one of the server's countries")
    written = as_csv(result, separator=";")
    assert ";'=1+1;" in written
    for name, content in (("a.csv", written.encode()), ("a.xlsx", as_workbook(result.columns, result.rows))):
        back = begin(desk.settings, "main", name, content)
        assert [list(row.cells)[:4] for row in back.read.table.rows] == [list(row[:4]) for row in result.rows]
        assert back.choices == ("key:number", "city", "country_id", "", "")


@pytest.mark.parametrize(
    ("text", "how", "words"),
    [
        ("Number;Hourly rate\n1;1.234\n", {}, "Choose the decimal sign"),
        ("Number;Hourly rate\n1;1.234\n", {"decimal": ","}, ""),
        ("Number;City\n1;NULL\n", {}, "Choose whether that is a text or a blank"),
        ("Number;City\n1;NULL\n", {"null_words": "blank"}, ""),
        ("Number;City;Remark\n1;Bern;NULL\n", {}, ""),
    ],
)
def test_a_doubt_becomes_a_question_and_not_an_error_of_a_row(desk, text, how, words):
    if words:
        with pytest.raises(SettingsError, match=words):
            started(desk, text, **how)
        return
    assert [dict(row.wrong) for row in wishes_of(started(desk, text, **how))] == [{}]


def test_a_file_read_again_keeps_the_choices_of_its_columns(desk):
    correction = begin(desk.settings, "main", "a.csv", b"Kunde;Ort\n1;Bern\n2;Thun\n")
    chosen = choose(correction, ["key:number", "city"], blank_clears=True, decimal=None, null_words=None)
    again = read_again(chosen, Reading(separator=";", encoding="cp1252"))
    assert (again.choices, again.blank_clears, again.read.how.encoding) == (["key:number", "city"], True, "cp1252")
    other = read_again(chosen, Reading(heading_line=2))
    assert (other.columns, other.choices) == (["1", "Bern"], ("", ""))


def test_the_sheet_of_all_clients_changes_nothing_if_it_is_uploaded_as_it_is(desk, three):
    result = clients_to_correct(desk.settings, "main")
    assert three[2]["id"] not in [row[-1] for row in result.rows]
    content = as_workbook(result.columns, result.rows)
    correction = begin(desk.settings, "main", "clients.xlsx", content)
    assert "" not in [
        choice for column, choice in zip(correction.columns, correction.choices, strict=True) if column != "Number"
    ]
    grid = checked(desk, choose(correction, correction.choices, blank_clears=False, decimal=".", null_words="text"))
    assert (grid.changing, grid.refused, len(grid.lines)) == (0, 0, len(result.rows))
    assert grid.same > 0


def test_a_client_without_a_currency_of_its_own_can_be_corrected_with_a_column_for_it(desk, box):
    records = box.call("GET", "/api/v1/clients?per_page=100&sort=id%7Casc&status=active")["data"]
    bare = next(r for r in records if not r["settings"].get("currency_id") and r["number"] and r["country_id"])
    desk.pull()
    correction = started(desk, f"Number;City\n{bare['number']};Neustadt\nnobody;Genf\n")
    grid = checked(desk, correction)
    assert lacked_fields(grid, correction) == {"currency_id": 1}
    added = add_column(desk.settings, correction, grid, "currency_id")
    ((code,),) = desk.query("select currency_code from mart.clients where id = $id", id=bare["id"])
    assert (list(added.columns), added.edits) == (["Number", "City", "Currency"], {(2, 2): code})
    again = checked(desk, added)
    assert states(again) == {2: ["change", "change"], 3: ["refused", "blank"]}
    assert lacked_fields(again, added) == {}
    planned = plan_correction(desk.settings, added, desk.door())
    assert [(cell.client_id, cell.column) for cell in planned.plan.cells] == [
        (bare["id"], "city"), (bare["id"], "currency_id"),
    ]  # fmt: skip
    with pytest.raises(SettingsError, match="does not lack"):
        add_column(desk.settings, added, again, "currency_id")


def test_a_file_for_another_company_of_the_same_name_is_refused(desk, box, three):
    desk.token = box.sandbox.other_token
    with pytest.raises(SettingsError, match="another company"):
        checked(desk, started(desk, "id;City\nx;Bern\n"))
