"""Build the simulator's coverage data: `python scripts/build_coverage.py`.

The facts come from two packages of the Python Package Index (their versions: `SOURCES`):

- phonenumbers (Apache-2.0; a port of Google's libphonenumber): which NPA/NXX and which area code
  belongs to which city, and the numbering plans of the countries;
- pycountry (LGPL-2.1; data of Debian's iso-codes): names and codes of countries and subdivisions.

What is sold where is invented: `data/choices.toml` says what there is to choose from, and a hash of
the row's name chooses, so that equal input gives equal bytes. The example objects of the API's
documentation are in `data/documented.json`. `didww_async/simulator/coverage.py` reads the result.
"""

import gzip
import json
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import phonenumbers
import pycountry
from phonenumbers.geodata import GEOCODE_DATA

SOURCES = {"phonenumbers": "9.0.43", "pycountry": "26.2.16"}
DATA = Path(__file__).parent.parent / "didww_async" / "simulator" / "data"
CHOICES = tomllib.loads((DATA / "choices.toml").read_text())
DOCUMENTED = json.loads((DATA / "documented.json").read_text())

TYPES = {
    "L": "Local",
    "N": "National",
    "M": "Mobile",
    "T": "Toll-free",
    "S": "Shared Cost",
    "G": "Global",
}
SOLD = {iso: types for types, isos in CHOICES["countries"].items() for iso in isos.split()}
LADDERS = [ladder for ladders in CHOICES["prices"].values() for ladder in ladders]


class Place(NamedTuple):
    """Where the numbers of a Local group are: a city, or the region or country as a whole."""

    country: str
    region: str | None = None
    city: str | None = None


class Group(NamedTuple):
    """A DID group before it is written: `numbers` are its NANPA prefixes."""

    place: Place
    type: str
    prefix: str
    area_name: str | None
    numbers: tuple[str, ...]
    features: str
    key: str


def pick(key: str, choices: int) -> int:
    """A number below `choices` that depends on `key` alone."""
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest()) % choices


def sample(names: list[str], count: int) -> list[str]:
    return sorted(sorted(names, key=lambda name: pick(f"sample {name}", 2**32))[:count])


def positions(rows: Iterable[Any]) -> dict[Any, int]:
    return {row: index for index, row in enumerate(rows)}


# ---- countries, regions


@cache
def countries() -> dict[str, tuple[str, str | None]]:
    """Name and calling code by ISO code, in the order of the names."""
    rows: dict[str, tuple[str, str | None]] = {}
    for iso in SOLD:
        country: Any = pycountry.countries.get(alpha_2=iso)
        name = CHOICES["names"].get(iso) or getattr(
            country, "common_name", country and country.name
        )
        code = 883 if iso == "XV" else phonenumbers.country_code_for_region(iso)
        rows[iso] = (name, str(code) if code else None)
    return dict(sorted(rows.items(), key=lambda row: row[1][0]))


@cache
def regions() -> dict[str, tuple[str, str]]:
    """Name and country by ISO code: states, provinces, and the countries of the United Kingdom."""
    kinds = {"US": "State District", "CA": "Province Territory", "GB": "Country Province"}
    return {
        row.code: (plain(row.name), iso)
        for iso, types in kinds.items()
        for row in subdivisions(iso)
        if row.type in types.split()
    }


def subdivisions(iso: str) -> list[Any]:
    rows: Any = pycountry.subdivisions
    return sorted(rows.get(country_code=iso) or [], key=lambda row: str(row.code))


def plain(name: str) -> str:
    """The name without what the standard adds: "Wales [Cymru GB-CYM]", "Bristol, City of"."""
    return re.sub(r" \[.*| City$|, .*", "", name)


@cache
def british_regions() -> dict[str, str]:
    """The regions of the cities that are called like their district or council area."""
    return {plain(row.name): row.parent_code for row in subdivisions("GB") if row.parent_code}


@cache
def american_names() -> dict[str, str]:
    """The codes of states and provinces by their names, and by their postal codes ("TX")."""
    found: dict[str, str] = dict(CHOICES["nanpa"]["states"])
    for code, (name, iso) in regions().items():
        if iso != "GB":
            found |= {name: code, code[3:]: code}
    return found


# ---- numbers of country code 1


def nanpa() -> dict[tuple[Place, str], list[str]]:
    """The prefixes (NPA and NXX) by place and NPA."""
    known = dict(by_calling_code()["1"])
    found: dict[tuple[Place, str], list[str]] = defaultdict(list)
    # Documented groups have their prefixes to themselves. Elsewhere the longest entry decides.
    taken = set(documented_prefixes())
    for key in sorted(known, key=lambda key: (-len(key), key)):
        place = american_place(known[key]["en"])
        if place:
            numbers = [number for number in below(key, place) if number not in taken]
            taken.update(numbers)
            found[place, key[:3]] += numbers
    for iso, (_, code) in countries().items():
        if code == "1" and iso not in {"US", "CA"}:
            for number in island_prefixes(iso):
                found[Place(iso, None, CHOICES["capitals"].get(iso)), number[:3]].append(number)
    order = sorted(found, key=lambda key: [part or "" for part in (*key[0], key[1])])
    return {key: sorted(found[key]) for key in order if is_kept(*key, len(found[key]))}


def is_kept(place: Place, npa: str, count: int) -> bool:
    """Most towns with one prefix are left out: they are half of all, and loading takes time."""
    if count == 1 and place.city and place.region not in CHOICES["nanpa"]["sparse_regions"]:
        return pick(f"{place.region} {place.city} {npa}", 4) == 0
    return count > 0


def documented_prefixes() -> list[str]:
    return sorted({number for group in DOCUMENTED["groups"] for number in group["stock"] if number})


def american_place(name: str) -> Place | None:
    """The place that the tables call "Dallas, TX", "Texas" or "Washington D.C."."""
    if name == "Washington D.C.":
        return Place("US", "US-DC", "Washington")
    city, _, state = name.rpartition(", ")
    region = american_names().get(state)
    return Place(region[:2], region, city or None) if region else None


def below(key: str, place: Place) -> list[str]:
    """The prefixes that an entry of the tables stands for.

    Short entries are thinned out: they do not tell which prefixes are in use.
    """
    choices = CHOICES["nanpa"]
    digits = 6 - len(key)
    numbers = [f"{key}{rest:0{digits}}" if digits else key for rest in range(10**digits)]
    valid = [number for number in numbers if re.fullmatch(r"[2-9]\d\d(?!\d11)[2-9]\d\d", number)]
    whole_code = choices["prefixes_per_city" if place.city else "prefixes_per_state"]
    return sample(valid, {3: whole_code, 5: choices["prefixes_per_ten"]}.get(len(key), len(valid)))


def island_prefixes(iso: str) -> list[str]:
    """Prefixes that are valid for landlines in the numbering plan of a country of code 1."""
    plan: Any = phonenumbers.PhoneMetadata.metadata_for_region(iso)
    landline = re.compile(plan.fixed_line.national_number_pattern)
    found: list[str] = []
    for npa in range(200, 1000):
        if re.fullmatch(plan.leading_digits, str(npa)):
            numbers = [f"{npa}{nxx}" for nxx in range(200, 1000) if nxx % 100 != 11]
            valid = [number for number in numbers if landline.fullmatch(f"{number}1234")]
            found += sample(valid, CHOICES["nanpa"]["prefixes_per_city"])
    return found


# ---- cities elsewhere


@cache
def by_calling_code() -> dict[str, list[tuple[str, dict[str, str]]]]:
    """The entries with English names by calling code: national digits, names; short ones first."""
    codes = {code for _, code in countries().values() if code}
    entries: dict[str, list[tuple[str, dict[str, str]]]] = defaultdict(list)
    for key in sorted(GEOCODE_DATA, key=lambda key: (len(key), key)):
        code = next((key[:length] for length in (1, 2, 3) if key[:length] in codes), None)
        if code and "en" in GEOCODE_DATA[key]:
            entries[code].append((key.removeprefix(code), GEOCODE_DATA[key]))
    return entries


def cities(iso: str) -> dict[str, tuple[str, str | None]]:
    """Area code and regulatory area of a country's largest cities, by name.

    The tables know no population: the largest are those with the largest share of the numbers.
    """
    choices = CHOICES["cities"]
    language = choices["areas"].get(iso, "en")
    states: set[str] = {plain(row.name) for row in subdivisions(iso)}
    no_cities = states if iso in choices["states_in_tables"].split() else set()
    no_cities -= set(choices["also_cities"])
    passed_over = re.compile(CHOICES["passed_over"].get(iso, "(?!)"))
    share: dict[str, float] = defaultdict(float)
    found: dict[str, tuple[str, str | None]] = {}
    for digits, names in by_calling_code()[str(countries()[iso][1])]:
        name = city_name(names["en"])
        # Kazakhstan shares its calling code with Russia.
        if not name or names["en"] in no_cities or (iso == "KZ" and digits[0] != "7"):
            continue
        if not passed_over.match(digits):
            share[name] += 10.0 ** -len(digits)
            area = names.get(language, name) if iso in choices["areas"] else None
            found.setdefault(name, (area_code(iso, digits), area if area in states else None))
    largest = sorted(share, key=lambda name: (-round(share[name], 9), name))
    count = choices["more"].get(iso, choices["per_country"])
    return {name: found[name] for name in sorted(largest[:count])}


def city_name(entry: str) -> str | None:
    """The (first) city of "Athens/Piraeus", "Barueri - SP", "Sapporo, Hokkaido", "Izmir (West)"."""
    first = re.split(r"/|, | - | \(| and | & ", entry)[0].strip()
    name = re.sub(r" (City|Local|province)$", "", first)
    return None if not name or re.fullmatch(CHOICES["cities"]["no_city"], name) else name


def area_code(iso: str, digits: str) -> str:
    found = re.match(CHOICES["area_codes"].get(iso, r"\d{1,4}"), digits)
    return found[0] if found else digits[:4]


# ---- DID groups


def local_groups(places: dict[tuple[Place, str], list[str]]) -> list[Group]:
    """A group for each place and area code, here and there a second one with other features."""
    # The documentation shows a single group of this code in London.
    keys = [(place, code) for place, code in places if (place.city, code) != ("London", "20")]
    return [
        local_group(place, code, tuple(places[place, code]), number)
        for place, code in keys
        for number in range(2 if pick(f"{place_key(place, code)} twice", 10) == 0 else 1)
    ]


def place_key(place: Place, code: str) -> str:
    return "/".join(part or "" for part in (*place, code))


def local_group(place: Place, code: str, numbers: tuple[str, ...], number: int) -> Group:
    key = place_key(place, code)
    choices = CHOICES["features"]["Nanpa" if numbers else "Local"]
    features = choices[(pick(f"{key} features", len(choices)) + number) % len(choices)]
    name = regions()[place.region][0] if place.region else countries()[place.country][0]
    area_name = None if place.city else name  # None: called like the city
    return Group(place, "Local", code, area_name, numbers, features, f"{key}/{number}")


def country_groups(iso: str) -> list[Group]:
    """The groups of a country as a whole: its national, mobile, toll-free, ... numbers."""
    groups = []
    for type_ in (TYPES[letter] for letter in SOLD[iso] if letter in "NMTSG"):
        for prefix in service_codes(iso, type_):
            key = f"{iso}/{type_}/{prefix}"
            choices = CHOICES["features"][type_]
            features = choices[pick(f"{key} features", len(choices))]
            groups.append(Group(Place(iso), type_, prefix, type_, (), features, key))
    return groups


def service_codes(iso: str, type_: str) -> list[str]:
    """The area codes of a type of number: what is before "1234" in the plan's example numbers."""
    if type_ == "Global":
        return ["5100"]
    if type_ == "Toll-free" and iso in {"US", "CA"}:
        return list(CHOICES["nanpa"]["toll_free"])
    plan: Any = phonenumbers.PhoneMetadata.metadata_for_region(iso)
    kinds = {
        "National": (plan.voip, plan.uan, plan.fixed_line),
        "Mobile": (plan.mobile,),
        "Toll-free": (plan.toll_free,),
        "Shared Cost": (plan.shared_cost,),
    }[type_]
    examples = [kind.example_number for kind in kinds if kind and kind.example_number]
    codes = [re.match(r"\d{1,4}?(?=1234|2345)|\d{3}", example) for example in examples]
    return [code[0] for code in codes[:1] if code]


def traits(group: Group) -> list[Any]:
    """Features, and the flags in the order of `GroupRow`."""
    iso, key, features = group.place.country, group.key, group.features.split()
    is_metered = group.type in {"Toll-free", "Shared Cost"}
    can_be_restricted = iso == "US" and group.type == "Local" and "sms_in" not in features
    must_register = iso in CHOICES["registration"]["countries"].split()
    return [
        features,
        is_metered,
        not is_metered and pick(f"{key} channels", 8) > 0,
        # The hint at SMS campaigns, as the documentation shows it.
        DOCUMENTED["groups"][0]["service_restrictions"]
        if can_be_restricted and pick(f"{key} restrictions", 2)
        else None,
        must_register or (group.type == "Mobile" and pick(f"{key} registration", 2) == 0),
        pick(f"{key} available", 4) > 0,
    ]


def ladder(group: Group) -> Any:
    """The SKUs: one to three of them, dearer with more channels."""
    cheap = group.type == "Local" and group.place.country in {"US", "CA", "GB"}
    dear = group.type in {"Toll-free", "Shared Cost", "Global"}
    ladders = CHOICES["prices"]["cheap" if cheap else "dear" if dear else "middle"]
    return ladders[pick(f"{group.key} price", len(ladders))]


def stock(group: Group) -> list[int]:
    """How many numbers there are, by NANPA prefix if there are any. In large places always many."""
    is_large = len(group.numbers) >= 20 or len(group.prefix) < 3  # large cities have short codes
    luck = 20 if is_large else pick(f"{group.key} stock", 20)
    entries = group.numbers or ("",)
    if luck == 0 or "0" in SOLD[group.place.country]:
        return [0] * len(entries)
    if luck == 1:
        return [3] + [0] * (len(entries) - 1)
    most = 60 if group.numbers else 2000
    return [pick(f"{group.key} {entry}", most) + 1 for entry in entries]


# ---- the file


def tables() -> dict[str, Any]:
    """The tables that the simulator reads: they refer to each other by index, -1 meaning none."""
    places = nanpa()
    areas: dict[Place, str] = {}
    for iso, (_, calling_code) in countries().items():
        if "L" in SOLD[iso] and calling_code != "1":
            for name, (code, area) in cities(iso).items():
                region = british_regions().get(name, "GB-NIR" if code == "28" else None)
                place = Place(iso, region if iso == "GB" else None, name)
                places[place, code] = []
                if area:
                    areas[place] = area
    groups = local_groups(places) + [group for iso in countries() for group in country_groups(iso)]

    country_at = positions(countries())
    region_at = positions(regions()) | {None: -1}
    area_rows = sorted({(place.country, area) for place, area in areas.items()})
    area_at = positions(area_rows)

    city_runs: dict[tuple[int, int, int], list[Place]] = defaultdict(list)
    for place in dict.fromkeys(place for place, _ in places if place.city):
        area_index = area_at.get((place.country, areas.get(place)), -1)
        city_runs[country_at[place.country], region_at[place.region], area_index].append(place)
    city_at = positions(place for run in city_runs.values() for place in run)

    prefix_runs: dict[tuple[int, int], list[str]] = defaultdict(list)
    for (place, _), numbers in places.items():
        prefix_runs[country_at[place.country], region_at[place.region]] += numbers
    prefix_runs[country_at["US"], region_at["US-NY"]] += documented_prefixes()
    prefix_at = positions(number for run in prefix_runs.values() for number in run)

    traits_at: dict[str, int] = {}
    type_names = list(TYPES.values())
    rows = [
        [
            country_at[group.place.country],
            region_at[group.place.region],
            city_at.get(group.place, -1),
            type_names.index(group.type),
            group.prefix,
            group.area_name,
            traits_at.setdefault(json.dumps(traits(group)), len(traits_at)),
            LADDERS.index(ladder(group)),
            prefix_at[group.numbers[0]] if group.numbers else -1,
            stock(group),
        ]
        for group in groups
    ]
    return {
        "types": type_names,
        "countries": [[iso, name, code] for iso, (name, code) in countries().items()],
        "regions": [[country_at[iso], code, name] for code, (name, iso) in regions().items()],
        "areas": [[country_at[iso], name] for iso, name in area_rows],
        "cities": [
            [*run, "\n".join(str(place.city) for place in row)] for run, row in city_runs.items()
        ],
        "prefixes": [[*run, "".join(numbers)] for run, numbers in prefix_runs.items() if numbers],
        "groups": rows,
        "traits": [json.loads(row) for row in traits_at],
        "ladders": LADDERS,
    }


def main() -> None:
    for package, expected in SOURCES.items():
        if version(package) != expected:
            raise SystemExit(f"{package} {expected} wanted: {version(package)} gives other data")
    text = json.dumps(tables(), ensure_ascii=False, separators=(",", ":"))
    (DATA / "coverage.json.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))


if __name__ == "__main__":
    main()
