"""Names, addresses and figures for made-up clients, in the manner of their countries."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from random import Random

LETTERS_ONLY = {"ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "æ": "ae", "Æ": "AE", "ı": "i", "đ": "d", "þ": "th"}


@dataclass(frozen=True, slots=True)
class Land:
    """One country: its ids in the lookups, and how people and companies are called and reached there.

    In `phone`, `vat` and `postcode` each `#` is a digit. `latin` holds companies' names in Latin letters where the
    others are not, for their addresses on the internet.
    """

    country_id: int
    currency_id: str
    share: int
    domain: str
    vat: str
    phone: str
    postcode: str
    legal: tuple[str, ...]
    names: tuple[str, ...]
    trades: tuple[str, ...]
    first: tuple[str, ...]
    last: tuple[str, ...]
    cities: tuple[str, ...]
    streets: tuple[str, ...]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split(", "))


LANDS = (
    Land(840, "1", 34, "com", "", "(###) ###-####", "#####", _words("Inc., LLC, Corp., Co., "),
         _words("Harbor, Summit, Blue Ridge, Lakeside, Redwood, Pioneer, Liberty, Cedar Creek, Golden Gate, Northwind, O'Brien, Smith & Sons"),
         _words("Supplies, Logistics, Dental, Roofing, Foods, Consulting, Motors, Software, Plumbing, Landscaping, Media, Bakery"),
         _words("James, Mary, Robert, Patricia, Michael, Jennifer, DeShawn, Linda, Carlos, Susan, Priya, Emily"),
         _words("Smith, Johnson, Williams, Brown, García, Miller, O'Connor, Nguyen, Washington, Lee, Martinez, Young"),
         _words("Springfield, Austin, Portland, Columbus, Boise, Raleigh, San José, Tampa"),
         _words("Main St, Oak Ave, Maple Dr, 5th Ave, Elm St, Washington Blvd")),
    Land(276, "3", 16, "de", "DE#########", "0## ########", "#####", _words("GmbH, AG, KG, GmbH & Co. KG, e.K., OHG"),
         _words("Müller, Schäfer, Bayerische, Rhein-Main, Grünwald, Nordsee, Schwäbische, Hansa, Weiß, Köhler, Alpenland, Straßburger"),
         _words("Maschinenbau, Logistik, Elektrotechnik, Möbel, Brauerei, Druckerei, Feinkost, Heizungsbau, Software, Spedition"),
         _words("Jürgen, Anneliese, Stefan, Käthe, Björn, Sabine, Uwe, Heike, Jörg, Katrin, Şebnem, Wolfgang"),
         _words("Müller, Schmidt, Schäfer, Weiß, Groß, Böhm, Köhler, Yılmaz, Schröder, Krüger, von Ahlen, Vogel"),
         _words("München, Köln, Düsseldorf, Nürnberg, Görlitz, Lübeck, Würzburg, Hamburg"),
         _words("Bahnhofstraße, Hauptstraße, Am Mühlbach, Lindenallee, Schloßgasse, Königsweg")),
    Land(826, "2", 10, "co.uk", "GB#########", "020 #### ####", "SW## #AA", _words("Ltd, Limited, PLC, LLP, & Co"),
         _words("Ashworth, Kingsley, Thames, Highland, Penrose, Wellington, Camden, Oakham, Fitzroy, Marlow"),
         _words("Stationers, Brewing, Joinery, Estates, Textiles, Publishing, Marine, Tea Merchants, Surveyors, Antiques"),
         _words("Oliver, Amelia, Harry, Isla, Siân, Rhys, Aisling, George, Poppy, Arjun"),
         _words("Jones, Taylor, Davies, Patel, Evans, Wilson, MacDonald, Wright, Khan, Ó Briain"),
         _words("London, Leeds, Bristol, Cardiff, Edinburgh, York, Bath"),
         _words("High Street, Station Road, Church Lane, Victoria Road, Mill Lane")),
    Land(250, "3", 8, "fr", "FR###########", "0# ## ## ## ##", "#####", _words("SARL, SAS, SA, EURL, SNC"),
         _words("Lefèvre, Élysée, Côte d'Azur, Bâtiment Plus, Les Frères Dubois, Château Noir, Provence, Bretagne, Crème, Œuvre"),
         _words("Boulangerie, Vins, Conseil, Menuiserie, Édition, Transports, Fromages, Informatique, Électricité"),
         _words("François, Hélène, Noël, Zoé, Benoît, Chloé, Gaëlle, Mathieu, Inès, Rémi"),
         _words("Lefèvre, Dubois, Moreau, Garçon, Béranger, Rousseau, D'Angelo, Lemaître, N'Diaye, Petit"),
         _words("Paris, Nîmes, Orléans, Besançon, Angoulême, Lyon, Saint-Étienne"),
         _words("rue de l'Église, avenue Foch, rue du Général-Leclerc, place d'Armes, quai Saint-Michel")),
    Land(616, "49", 6, "pl", "PL##########", "+48 ### ### ###", "##-###", _words("sp. z o.o., S.A., s.c., sp.j."),
         _words("Łódzka, Żubr, Wisła, Śląsk, Bałtyk, Źródło, Kraków, Gdańska, Świat, Ćwik"),
         _words("Meble, Transport, Piekarnia, Budowa, Odzież, Księgarnia, Usługi, Ogrody"),
         _words("Łukasz, Małgorzata, Paweł, Agnieszka, Stanisław, Żaneta, Michał, Grażyna"),
         _words("Kowalski, Wiśniewska, Wójcik, Dąbrowski, Żak, Szczęsny, Źrebiec, Górski"),
         _words("Łódź, Kraków, Wrocław, Gdańsk, Poznań, Częstochowa"),
         _words("ul. Długa, ul. Świętokrzyska, al. Jerozolimskie, ul. Żeromskiego")),
    Land(756, "17", 5, "ch", "CHE-###.###.###", "044 ### ## ##", "####", _words("AG, GmbH, SA, Sàrl"),
         _words("Zürcher, Alpen, Matterhorn, Genève, Säntis, Rütli, Edelweiss"),
         _words("Uhren, Treuhand, Käserei, Präzision, Immobilien, Chocolaterie, Optik"),
         _words("Urs, Béatrice, Reto, Sandra, Jürg, Chantal, Luca"),
         _words("Zürcher, Müller, Favre, Bernasconi, Wüthrich, Meier, Käser"),
         _words("Zürich, Genève, Bern, Neuchâtel, St. Gallen"), _words("Bahnhofstrasse, Rue du Rhône, Seeweg, Dorfplatz")),
    Land(392, "45", 5, "co.jp", "", "03-####-####", "###-####", _words("株式会社, 有限会社, 合同会社"),
         _words("東京, 山本, 富士, さくら, 日本橋, 鈴木, 北海道"), _words("商事, 製作所, 食品, 電機, 運輸, 出版"),
         _words("太郎, 花子, 健太, さくら, 陽子, 大輔"), _words("鈴木, 佐藤, 高橋, 田中, 渡辺, 山本"),
         _words("東京, 大阪, 札幌, 福岡"), _words("本町, 銀座, 中央通り, 桜ヶ丘")),
    Land(724, "3", 5, "es", "ES#########", "9## ### ###", "#####", _words("S.L., S.A., S.L.U."),
         _words("Muñoz, Peña, Ibérica, Española, El Niño, Cañón, Andalucía"),
         _words("Construcciones, Vinos, Asesoría, Panadería, Muebles, Cerámica"),
         _words("José, María, Iñaki, Begoña, Ángel, Lucía"), _words("Muñoz, Peña, Núñez, García, Ibáñez, Castaño"),
         _words("Madrid, Cádiz, Málaga, A Coruña, León"), _words("Calle Mayor, Avenida de América, Plaza de España")),
    Land(752, "7", 3, "se", "SE############", "08-### ## ##", "### ##", _words("AB, HB, Handelsbolag"),
         _words("Nordström, Malmö, Björk, Åkerlund, Sjö"), _words("Bygg, Trä, Konsult, Fisk, Design"),
         _words("Åsa, Björn, Örjan, Märta, Göran"), _words("Åkerlund, Sjöberg, Öberg, Nyström, Lindström"),
         _words("Malmö, Göteborg, Västerås, Örebro"), _words("Storgatan, Kungsgatan, Drottninggatan")),
    Land(376, "6", 2, "co.il", "", "03-###-####", "#######", _words('בע"מ, '), _words("הרצל, גליל, כרמל"), _words("מסחר, תוכנה, בנייה"),
         _words("דוד, שרה, יוסף, רחל"), _words("כהן, לוי, מזרחי, פרץ"), _words("תל אביב, חיפה, ירושלים"), _words("הרצל, אלנבי")),
    Land(784, "25", 2, "ae", "", "04 ### ####", "", _words("L.L.C, FZE"), _words("الخليج, النور, الصحراء"),
         _words("للتجارة, للمقاولات, للشحن"), _words("محمد, فاطمة, أحمد, ليلى"), _words("المنصوري, الهاشمي, حداد"),
         _words("دبي, أبو ظبي"), _words("شارع الشيخ زايد, شارع المكتوم")),
    Land(356, "11", 4, "in", "", "+91 ##### #####", "######", _words("Pvt. Ltd., LLP, & Sons"),
         _words("Sharma, Ganesh, Himalaya, Lakshmi, Tata Nagar, Bharat"), _words("Textiles, Exports, Infotech, Spices, Steel, Traders"),
         _words("Aarav, Priya, Rahul, Anjali, Vikram"), _words("Sharma, Patel, Singh, Iyer, Reddy"),
         _words("Mumbai, Bengaluru, Pune, Jaipur"), _words("MG Road, Nehru Marg, Station Road")),
)  # fmt: skip
SYLLABLES = tuple(
    "ba ce do fi gu ka le mo nu pa ri so te vo xa zi bel dor fen lin mar nor pol ran sol tek val ver zen".split()
)
SHARES = tuple(land.share for land in LANDS)


def land_of(rng: Random) -> Land:
    """A country, the likelier the bigger its share."""
    return rng.choices(LANDS, SHARES)[0]


def digits(rng: Random, form: str) -> str:
    """The form with a digit for each `#`."""
    return "".join(str(rng.randrange(10)) if c == "#" else c for c in form)


def company_name(rng: Random, land: Land) -> str:
    """A company of this country, with its legal form where it has one. A few share a name, as in life."""
    words = [_proper(rng, land), rng.choice(land.trades)]
    if rng.random() < 0.35:  # noqa: PLR2004 - a third carry a place or a year
        words.append(rng.choice((rng.choice(land.cities), str(rng.randrange(1900, 2025)))))
    return " ".join(filter(None, [*words, rng.choice(land.legal)]))


def _proper(rng: Random, land: Land) -> str:
    """What a company is called before its trade: a word of the country, its founders, or a coined name."""
    chance = rng.random()
    if chance < 0.3:  # noqa: PLR2004 - three ways, about as often
        return rng.choice(land.names)
    if chance < 0.6:  # noqa: PLR2004
        return f"{rng.choice(land.last)} & {rng.choice(land.last)}"
    return "".join(rng.choice(SYLLABLES) for _ in range(rng.choice((2, 3)))).capitalize()


def person(rng: Random, land: Land) -> tuple[str, str]:
    """First and last name."""
    return rng.choice(land.first), rng.choice(land.last)


def plain_letters(text: str) -> str:
    """The letters and digits of a text in small ASCII; `x` and its length in place of a script that has none."""
    swapped = "".join(LETTERS_ONLY.get(c, c) for c in text)
    ascii_only = unicodedata.normalize("NFKD", swapped).encode("ascii", "ignore").decode().lower()
    return "".join(c for c in ascii_only if c.isalnum()) or f"x{sum(map(ord, text)) % 9973}"
