"""What clients owed at the end of each day, by currency, as a picture.

    python docs/examples/balances_over_time.py

Uses the warehouse that `ninja-sync sql` asks; writes balances_over_time.png.
"""

import matplotlib.pyplot as plt

from flows.frames import frame

daily = frame("client_balance_daily")
owed = daily[daily["status"] != "deleted"].groupby(["day", "currency_code"])["balance"].sum().unstack()

figure, axes = plt.subplots(len(owed.columns), sharex=True, squeeze=False, figsize=(9, 2.5 * len(owed.columns)))
for (axis,), currency in zip(axes, owed.columns, strict=True):
    axis.step(owed.index.astype("datetime64[s]"), owed[currency].astype(float), where="post")
    axis.set_ylabel(currency)
axes[0][0].set_title("What clients owed at the end of each day")
figure.tight_layout()
figure.savefig("balances_over_time.png")
