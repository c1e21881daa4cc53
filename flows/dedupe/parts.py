"""Words that name a part of a firm or an authority, or another firm of one owner."""

from __future__ import annotations

from typing import Final

PART: Final = (
    "^(holding|holdings|beteiligung|beteiligungs|beteiligungen|participations?|verwaltungs?|besitz|immobilien|immobilier"
    "|propert(y|ies)|estates?|realty|leasing|vermietung|vertriebs?|logisti(k|cs)|transport|stiftung|privatstiftung"
    "|foundation|farms|libraries|standesamt|einkauf|buchhaltung|accounts|purchasing|marketing|warehouse|lager|it|hr|achats|comptabilite"
    "|dept|departement|forderverein|elternverein|amicale|niederlassung|filiale|werk)$|.{2}(amt|abteilung|kasse|stiftung)$"
)
"""A regular expression of such words. "Stern" and "Stern Holding" are two firms, though one name holds the other."""
