"""Who owes how much, and for how long: a notebook to read, change and keep.

    marimo edit docs/examples/receivables.py      to read the code and change it; ▷ at the bottom right runs all
    marimo run docs/examples/receivables.py       to show it to others, without the code
    python docs/examples/receivables.py           to print the tables and draw receivables.png

It asks the warehouse that `ninja-sync sql` asks, and only reads. A role without the right to personal data sees the
numbers of clients, not their names.
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="Receivables")

with app.setup:
    from datetime import date, timedelta
    from decimal import Decimal

    import marimo as mo
    import pandas as pd
    from matplotlib.figure import Figure

    from flows import aging, frame
    from schemas.errors import SettingsError, SyncError

    AGES = {
        "not_due": "not due",
        "overdue_1_30": "1–30 days overdue",
        "overdue_31_60": "31–60 days overdue",
        "overdue_61_90": "61–90 days overdue",
        "overdue_over_90": "over 90 days overdue",
    }
    SUMS = ["owed", "overpaid", "net"]
    PANELS = 6


@app.cell(hide_code=True)
def _():
    mo.md("""
    # Receivables

    Who owes how much, and for how long? Three views of the warehouse become pandas frames. Amounts in them are exact
    decimals, and times are in UTC.
    """)
    return


@app.cell
def _():
    try:
        try:
            loads, personal = frame("load_status"), True
        except SettingsError:  # a role of Postgres that reads only mart_public
            loads, personal = frame("load_status", personal=False), False
        balances = frame("balances_by_currency", personal=personal)
        balances = balances.sort_values("owed", ascending=False, ignore_index=True)
        today = aging(personal=personal)
    except SyncError as problem:
        stop_here(str(problem))
    if balances.empty:
        stop_here("There are no clients in the warehouse yet. Run `ninja-sync pull`, then run this page again.")
    source = ["source"] if len(loads) > 1 else []
    who = ["client_number", "client_name"] if personal else ["client_number"]
    return balances, loads, personal, source, today, who


@app.function(hide_code=True)
def stop_here(advice):
    """Show what to do, on the page or in the terminal, and run nothing that needs data."""
    if mo.app_meta().mode == "script":
        raise SystemExit(advice)
    mo.stop(True, mo.callout(mo.md(advice), kind="warn"))


@app.cell(hide_code=True)
def _():
    mo.md("""
    ## How fresh is it?

    `last_load_at` is the last pull that changed something, and `newest_change_at` the newest change that it brought.
    """)
    return


@app.cell
def _(loads):
    loads[["source", "last_load_at", "newest_change_at", "clients", "clients_on_server"]]
    return


@app.cell(hide_code=True)
def _():
    mo.md("""
    ## What do clients owe?

    Never add amounts of two currencies. `overpaid` is beside `owed`, so that one client's money hides no debt of
    another. `net` is `owed` less `overpaid`.
    """)
    return


@app.cell
def _(balances, source):
    shown(balances[[*source, "currency_code", "debtors", "owed", "creditors", "overpaid", "net"]])
    return


@app.function(hide_code=True)
def shown(rows):
    """Show a frame with its amounts as people write them: all digits, but no zeros after the second."""
    money = [name for name in rows if any(isinstance(value, Decimal) for value in rows[name])]
    return mo.ui.table(
        rows,
        format_mapping=dict.fromkeys(money, as_written),
        text_justify_columns=dict.fromkeys(money, "right"),
        selection=None,
        pagination=False,
    )


@app.function(hide_code=True)
def as_written(amount):
    """Return an amount as text, exactly."""
    return f"{amount:,.2f}" if amount == round(amount, 2) else f"{amount:,f}"


@app.cell(hide_code=True)
def _():
    mo.md("""
    ## For how long?

    Choose a currency, and a day to compare with now. `aging(day)` is the frame of clients at the end of a day. It
    counts each open invoice, and a balance nets those of one client. So `owed` and `overpaid` can both be larger here
    than above, and `net` is the same. Where it is not, `ninja-sync reconciliation` shows why.
    """)
    return


@app.cell
def _(balances, today):
    _newest = today["day"].max() if len(today) else date.today()
    _names = list(dict.fromkeys(name_of(code) for code in [*balances["currency_code"], *today["currency_code"]]))
    currency = mo.ui.dropdown(_names, value=_names[0], label="Currency")
    day = mo.ui.date(value=_newest - timedelta(days=90), stop=_newest, label="Day")
    mo.hstack([currency, day], justify="start")
    return currency, day


@app.function(hide_code=True)
def name_of(code):
    """Return a currency's code, or words if a client has none."""
    return "no currency" if pd.isna(code) else code


@app.cell
def _(currency, day, personal, today):
    then = aging(day.value, personal=personal)
    was, now = sums(then, currency.value), sums(today, currency.value)
    compared = pd.DataFrame({f"at the end of {day.value}": was, "now": now, "change": now - was})
    shown(compared.rename(AGES))
    return compared, then


@app.function
def sums(ages, currency):
    """Add up the clients of one currency. Python's own decimals can be subtracted after a sum, Arrow's cannot."""
    clients = ages[ages["currency_code"].map(name_of) == currency]
    return clients[[*AGES, *SUMS]].astype(object).sum()


@app.cell(hide_code=True)
def _():
    mo.md("""
    ## Who owes most?

    The ten clients of that currency who owe most now, and what they owed on that day.
    """)
    return


@app.cell
def _(currency, source, then, today, who):
    before = then[["source", "client_id", "owed"]].rename(columns={"owed": "owed_then"})
    both = today.merge(before, on=["source", "client_id"], how="left").fillna({"owed_then": 0})
    owing = both[both["currency_code"].map(name_of) == currency.value]
    most = owing.sort_values("owed", ascending=False, ignore_index=True).head(10)
    shown(most[[*source, *who, "owed_then", "owed", "most_days_overdue"]])
    return (most,)


@app.cell(hide_code=True)
def _():
    mo.md("""
    ## All currencies in a picture

    Each currency has its own panel and axis. The picture is the first place where amounts become floats.
    """)
    return


@app.cell
def _(day, then, today):
    owed = today.groupby(today["currency_code"].map(name_of))["owed"].sum().sort_values(ascending=False)
    drawn, left_out = list(owed.index[:PANELS]), list(owed.index[PANELS:])
    height = (len(drawn) + 1) // 2 or 1
    figure = Figure(figsize=(11, 1 + 2.6 * height), layout="constrained")
    panels = figure.subplots(height, 2, squeeze=False).flatten()
    for panel in panels[len(drawn) :]:
        panel.set_visible(False)
    for panel, code in zip(panels, drawn, strict=False):
        draw_panel(panel, code, {f"at the end of {day.value}": sums(then, code), "now": sums(today, code)})
    if drawn:
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper right", ncols=2)
    title = "Owed by days overdue, and beside it overpaid" if drawn else "No client has an open invoice"
    figure.suptitle(title, x=0.02, ha="left")
    figure.supxlabel(f"Not drawn: {', '.join(left_out)}.".replace("$", r"\$") if left_out else "", fontsize=9)
    figure
    return (figure,)


@app.function
def draw_panel(panel, code, amounts):
    """Draw the ages of one currency as bars, one colour a day."""
    bars = [*AGES, "overpaid"]
    for place, (label, values) in enumerate(amounts.items()):
        x = [at + 0.4 * (place - 0.5) for at in range(len(bars))]
        panel.bar(x, [float(values[bar]) for bar in bars], width=0.4, label=label, color=["#9dc3e0", "#2f6f9f"][place])
    panel.axvspan(len(AGES) - 0.5, len(AGES) + 0.5, color="#eeeeee", zorder=0)
    now = amounts["now"]
    title = f"{code}: {now['owed']:,.0f} owed, {now['overpaid']:,.0f} overpaid now"
    panel.set_title(title.replace("$", r"\$"), fontsize=10, loc="left")
    panel.set_xticks(range(len(bars)), ["not due", "1–30", "31–60", "61–90", "over 90", "overpaid"], fontsize=8)
    panel.yaxis.set_major_formatter("{x:,.0f}")
    panel.tick_params(axis="y", labelsize=8)
    panel.spines[["top", "right"]].set_visible(False)


@app.cell(hide_code=True)
def _():
    mo.md("""
    ## What next?

    `frame("nothing")` lists all views that there are. The page docs/questions.md has queries to start from, and
    docs/receivables.md says what each column of `aging` means.
    """)
    return


@app.cell(hide_code=True)
def _(balances, compared, currency, figure, loads, most, who):
    if mo.app_meta().mode == "script":
        with pd.option_context("display.max_columns", None, "display.width", 120):
            print(loads[["source", "last_load_at", "clients"]], balances[["currency_code", *SUMS]], sep="\n\n")
            print(f"\n{currency.value}:", compared.rename(AGES), most[[*who, "owed_then", "owed"]], sep="\n\n")
        figure.savefig("receivables.png")
        print("\nThe picture: receivables.png")
    return


if __name__ == "__main__":
    app.run()
