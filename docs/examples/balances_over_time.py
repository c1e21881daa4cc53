"""What clients owed and had overpaid at the end of each day, by currency, as a picture.

    python docs/examples/balances_over_time.py

Uses the warehouse that `ninja-sync sql` asks; writes balances_over_time.png. What clients have overpaid is a line of
its own: taken off, it would hide what others owe. Before the first pull nothing is known, so on its day there is one point.
"""

import matplotlib.pyplot as plt

from flows.ask.frames import frame

MOST = 6

daily = frame("client_balance_daily")
daily = daily[daily["status"] != "deleted"].fillna({"currency_code": "no currency"})
sides = daily.assign(owed=daily["balance"].clip(lower=0), overpaid=-daily["balance"].clip(upper=0))
sums = sides.groupby(["currency_code", "day"])[["owed", "overpaid"]].sum()
most_owed = sums.groupby("currency_code")["owed"].max().sort_values(ascending=False)
drawn, left_out = list(most_owed.index[:MOST]), list(most_owed.index[MOST:])
if not drawn:
    raise SystemExit("No client is known on any day yet: `ninja-sync pull` reads them.")

days = sorted(daily["day"].unique())
one_day = len(days) == 1
figure, axes = plt.subplots(len(drawn), sharex=True, squeeze=False, figsize=(9, 1.2 + 1.25 * len(drawn)))
for (axis,), currency in zip(axes, drawn, strict=True):
    for side in ("owed", "overpaid"):
        amounts = sums.loc[currency, side].astype(float)  # a float for the picture alone
        axis.step(
            amounts.index.astype("datetime64[s]"), amounts, where="post", marker="o" if one_day else "", label=side
        )
    axis.set_ylabel(currency)
    axis.margins(y=0.2)
    axis.set_ylim(bottom=0)
    axis.yaxis.set_major_formatter("{x:,.0f}")
axes[0][0].legend(loc="upper left")
if one_day:
    axes[-1][0].set_xticks(sums.index.levels[1].astype("datetime64[s]"), [str(days[0])])
    span = f"on {days[0]}: only this day is known yet, so each line is one point"
else:
    axes[-1][0].tick_params(axis="x", rotation=30)
    span = f"at the end of each day from {days[0]} to {days[-1]}"
note = f"Not drawn: {', '.join(map(str, left_out))}." if left_out else ""
figure.suptitle(f"What clients owed {span}", fontsize=11)
figure.supxlabel(note, fontsize=9)
figure.tight_layout()
figure.savefig("balances_over_time.png")
print(f"What clients owed {span}: balances_over_time.png. {note}")
