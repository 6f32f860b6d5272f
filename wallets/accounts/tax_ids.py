"""Tax ids, checked as each country makes them: length, alphabet and check digits (python-stdnum). That an id is well made does
not say that it was given to anybody. Countries that are not in the table are taken as they are typed."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from stdnum import get_cc_module
from stdnum.exceptions import ValidationError

EUROPEAN: Final = frozenset({
    *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV"),
    *("MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"),
})  # fmt: skip
"""Their ids are written with the country before them."""
PREFIXES: Final = {"GR": "EL"}


class TaxIdKind(NamedTuple):
    """What a country's tax id is called, one that is well made, and the module of stdnum that knows."""

    name: str
    example: str
    module: str = "vat"


KINDS: Final[dict[str, TaxIdKind]] = {
    "AR": TaxIdKind("CUIT", "20-05536168-2", "cuit"),
    "AT": TaxIdKind("UID", "ATU13585627"),
    "AU": TaxIdKind("ABN", "83 914 571 673", "abn"),
    "BE": TaxIdKind("VAT number", "BE0428759497"),
    "BG": TaxIdKind("VAT number", "BG175074752"),
    "BR": TaxIdKind("CNPJ", "16.727.230/0001-97", "cnpj"),
    "CA": TaxIdKind("business number", "123026635", "bn"),
    "CH": TaxIdKind("VAT number", "CHE-107.787.577 IVA"),
    "CL": TaxIdKind("RUT", "76086428-5", "rut"),
    "CN": TaxIdKind("unified social credit code", "91110000600037341L", "uscc"),
    "CO": TaxIdKind("NIT", "213.123.432-1", "nit"),
    "CY": TaxIdKind("VAT number", "CY10259033P"),
    "CZ": TaxIdKind("DIČ", "CZ25123891"),
    "DE": TaxIdKind("USt-IdNr.", "DE136695976"),
    "DK": TaxIdKind("CVR", "DK13585628"),
    "EE": TaxIdKind("KMKR", "EE100594102"),
    "ES": TaxIdKind("NIF", "ESB64717838"),
    "FI": TaxIdKind("ALV", "FI20774740"),
    "FR": TaxIdKind("TVA", "FR23334175221"),
    "GB": TaxIdKind("VAT number", "GB980780684"),
    "GR": TaxIdKind("ΑΦΜ", "EL094259216"),
    "HR": TaxIdKind("OIB", "HR33392005961"),
    "HU": TaxIdKind("VAT number", "HU12892312"),
    "IE": TaxIdKind("VAT number", "IE6433435F"),
    "IL": TaxIdKind("company number", "516179157", "hp"),
    "IN": TaxIdKind("GSTIN", "27AAPFU0939F1ZV", "gstin"),
    "IT": TaxIdKind("partita IVA", "IT00743110157"),
    "JP": TaxIdKind("corporate number", "5-8356-7825-6246", "cn"),
    "KR": TaxIdKind("business registration number", "116-82-00276", "brn"),
    "LT": TaxIdKind("PVM", "LT119511515"),
    "LU": TaxIdKind("TVA", "LU15027442"),
    "LV": TaxIdKind("PVN", "LV40003521600"),
    "MT": TaxIdKind("VAT number", "MT11679112"),
    "MX": TaxIdKind("RFC", "VACE-460910-SX6", "rfc"),
    "NL": TaxIdKind("btw-id", "NL004495445B01"),
    "NO": TaxIdKind("MVA", "NO 995 525 828 MVA", "mva"),
    "NZ": TaxIdKind("IRD number", "49-091-850", "ird"),
    "PL": TaxIdKind("NIP", "PL8567346215"),
    "PT": TaxIdKind("NIF", "PT501964843"),
    "RO": TaxIdKind("CUI", "RO18547290"),
    "SE": TaxIdKind("VAT number", "SE123456789701"),
    "SG": TaxIdKind("UEN", "00192200M", "uen"),
    "SI": TaxIdKind("ID za DDV", "SI50223054"),
    "SK": TaxIdKind("IČ DPH", "SK2022749619"),
    "TR": TaxIdKind("VKN", "4540536920", "vkn"),
    "US": TaxIdKind("EIN", "91-1144442", "ein"),
    "ZA": TaxIdKind("tax number", "0001339050", "tin"),
}
"""By country, ISO 3166-1."""
ANY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ./-]{1,38}")


def tax_id_expected(country: str) -> str:
    """What a tax id of this country is."""
    kind = KINDS.get(country)
    if kind is None:
        return "2 to 39 letters, digits and . / -"
    return f"a tax id of {country} ({kind.name}) with its check digits, such as {kind.example}"


def read_tax_id(*, tax_id: str, country: str) -> str | None:
    """The id without spaces and signs, of European countries with the country before it; None when it is not well made."""
    kind = KINDS.get(country)
    if kind is None:
        return " ".join(tax_id.split()) if ANY.fullmatch(tax_id) else None
    module = get_cc_module(country.lower(), kind.module)
    assert module is not None, country
    try:
        compact = str(module.validate(tax_id))
    except ValidationError:
        return None
    prefix = PREFIXES.get(country, country)
    return compact if country not in EUROPEAN or compact.startswith(prefix) else f"{prefix}{compact}"
