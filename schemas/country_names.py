"""Country names in German, French, Spanish and Italian, and short English ones, each with the code of its country.

The server's list of countries is in English. People write the names of their neighbours in their own language.
"""

from __future__ import annotations

import unicodedata
from typing import Final

_NAMES: Final = {
    "AE": "vereinigte arabische emirate, emirats arabes unis, uae", "AT": "osterreich, oesterreich, autriche",
    "BE": "belgien, belgique, belgica, belgio", "BG": "bulgarien, bulgarie", "BR": "brasilien, bresil, brasil, brasile",
    "CA": "kanada", "CH": "schweiz, suisse, suiza, svizzera", "CN": "chine, cina",
    "CY": "zypern, chypre, chipre, cipro",
    "CZ": "tschechien, tschechische republik, tchequie, republique tcheque, chequia, republica checa, czechia",
    "DE": "deutschland, allemagne, alemania, germania", "DK": "danemark, dinamarca, danimarca",
    "EE": "estland, estonie", "ES": "spanien, espagne, espana, spagna", "FI": "finnland, finlande, finlandia",
    "FR": "frankreich, francia",
    "GB": "grossbritannien, vereinigtes konigreich, royaume uni, grande bretagne, reino unido, gran bretana, "
    "regno unito, gran bretagna, great britain, england, scotland, wales, uk",
    "GR": "griechenland, grece, grecia", "HR": "kroatien, croatie, croacia, croazia",
    "HU": "ungarn, hongrie, hungria, ungheria",
    "IE": "irland, irlande, irlanda", "IN": "indien, inde", "IS": "islande, islandia, islanda",
    "IT": "italien, italie, italia", "JP": "japon, giappone", "LT": "litauen, lituanie, lituania",
    "LU": "luxemburg, luxemburgo, lussemburgo", "LV": "lettland, lettonie, letonia, lettonia",
    "MA": "marokko, maroc, marruecos, marocco",
    "MT": "malte", "MX": "mexiko, mexique, messico",
    "NL": "niederlande, holland, pays bas, paises bajos, paesi bassi, nederland",
    "NO": "norwegen, norvege, noruega, norvegia", "NZ": "neuseeland, nouvelle zelande, nueva zelanda, nuova zelanda",
    "PL": "polen, pologne, polonia", "PT": "portogallo", "RO": "rumanien, roumanie, rumania",
    "RS": "serbien, serbie", "SE": "schweden, suede, suecia, svezia", "SI": "slowenien, slovenie, eslovenia",
    "SK": "slowakei, slovaquie, eslovaquia, slovacchia", "TR": "turkei, tuerkei, turquie, turquia, turchia",
    "UA": "ukraine, ucrania, ucraina", "US": "vereinigte staaten, etats unis, estados unidos, stati uniti, usa",
    "ZA": "sudafrika, suedafrika, afrique du sud, sudafrica",
}  # fmt: skip
_CODES: Final = {name: code for code, names in _NAMES.items() for name in names.split(", ")}


def code_of_country(text: str) -> str | None:
    """Return the code of a country that is named in another language; None for any other text."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(" " if letter in "-.'" else letter for letter in apart if not unicodedata.combining(letter))
    return _CODES.get(" ".join(letters.split()))
