"""The editor of a draft, without a script: cards of one meter saved together, wrong fields named, versions compared, files."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from pricing.books.models import Price, PriceBook, PriceVersion
from pricing.books.price_files import write_csv
from pricing.books.queries import terms_of_version
from pricing.books.roll_forward import roll_forward
from tests.factories.shop import NOW, Shop, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(shop: Shop) -> PriceVersion:
    """The prices in force, rolled forward: input and output tokens of gpt-5."""
    book = PriceBook.objects.get()
    return roll_forward(book=book, version=PriceVersion.objects.get(), at=NOW)


def url(view: str, version: PriceVersion, query: str = "") -> str:
    return reverse(f"admin:pricing_priceversion_{view}", args=[version.pk]) + query


def form_of(version: PriceVersion, **changes: str) -> dict[str, str]:
    """What a browser sends for the one price of input tokens, with changes: `unit_price`, `tier.1.up_to`."""
    price = Price.objects.get(version=version, meter__code="llm.input_tokens")
    sent = {
        "id": str(price.pk), "model": "per_unit", "unit_price": "0.00001", "currency": "USD",
        "condition.0.name": "model", "condition.0.value": "gpt-5", "condition.1.name": "", "condition.1.value": "",
    } | changes  # fmt: skip
    return {f"p0.{name}": text for name, text in sent.items()}


INPUT = "?meter=llm.input_tokens"


def test_the_cards_of_a_meter_show_conditions_and_an_example(draft: PriceVersion, finance: Client) -> None:
    page = finance.get(url("edit", draft, INPUT))
    assert 'value="gpt-5"' in page.content.decode()
    assert "1,234,567 units cost 12.35 USD" in text_of(page)
    assert "llm.output_tokens 1" in text_of(page)
    other = text_of(finance.get(url("edit", draft, INPUT + "&example=2,000,000")))
    assert "2,000,000 units cost 20.00 USD" in other


def test_a_price_is_changed_into_tiers_and_saved(draft: PriceVersion, finance: Client) -> None:
    tiers = {
        "model": "graduated", "tier.1.up_to": "1000000", "tier.1.unit_price": "0.00002", "tier.1.flat_price": "5",
        "tier.2.up_to": "", "tier.2.unit_price": "0.00001", "tier.3.up_to": "", "tier.3.unit_price": "",
    }  # fmt: skip
    checked = finance.post(url("edit", draft, INPUT), {**form_of(draft, **tiers), "step": "check"})
    assert "1,234,567 units cost 27.35 USD = 1,000,000 × 0.00002 + 5 + 234,567 × 0.00001" in text_of(checked)
    assert Price.objects.get(version=draft, meter__code="llm.input_tokens").model == "per_unit"
    saved = finance.post(url("edit", draft, INPUT), {**form_of(draft, **tiers), "step": "save"})
    assert saved.status_code == 302
    price = Price.objects.get(version=draft, meter__code="llm.input_tokens")
    assert (price.model, price.match, price.tiers) == (
        "graduated", {"model": "gpt-5"},
        [
            {"up_to": "1000000", "unit_price": "0.00002", "flat_price": "5"},
            {"up_to": None, "unit_price": "0.00001", "flat_price": "0"},
        ],
    )  # fmt: skip
    assert Price.objects.filter(version=draft).count() == 2


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"unit_price": "ten"}, "a decimal number such as 0.00001"),
        ({"unit_price": "-1"}, "not negative"),
        ({"condition.0.value": ""}, "a property and its value"),
        ({"schedule.windows": "always"}, "windows such as mon-fri 08:00-20:00"),
        ({"model": "volume", "tier.1.up_to": "5", "tier.1.unit_price": "1", "tier.2.up_to": "4", "tier.2.unit_price": "1"},
         "null: the last tier has no end"),
        ({"model": "by the moon"}, "one of per_unit"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_saved(
    draft: PriceVersion, finance: Client, changes: dict[str, str], expected: str
) -> None:
    answer = finance.post(url("edit", draft, INPUT), {**form_of(draft, **changes), "step": "save"})
    assert answer.status_code == 422
    assert expected in text_of(answer)
    assert "Nothing was saved." in text_of(answer)
    assert Price.objects.get(version=draft, meter__code="llm.input_tokens").unit_price == D("0.00001")


def test_prices_are_added_and_removed(draft: PriceVersion, finance: Client) -> None:
    page = finance.post(url("edit", draft, INPUT), {**form_of(draft), "step": "add"})
    assert 'name="p1.model"' in page.content.decode()
    added = {"p1.id": "", "p1.model": "per_unit", "p1.unit_price": "3", "p1.condition.0.name": "model"}
    both = form_of(draft, remove="on") | added | {"p1.condition.0.value": "gpt-6", "step": "save"}
    assert finance.post(url("edit", draft, INPUT), both).status_code == 302
    (price,) = Price.objects.filter(version=draft, meter__code="llm.input_tokens")
    assert (price.match, price.unit_price) == ({"model": "gpt-6"}, D(3))


def test_equally_good_prices_are_refused_in_the_card(draft: PriceVersion, finance: Client) -> None:
    twice = form_of(draft) | {
        "p1.id": "",
        "p1.unit_price": "3",
        "p1.condition.0.name": "model",
        "p1.condition.0.value": "gpt-5",
    }
    answer = finance.post(url("edit", draft, INPUT), twice | {"step": "save"})
    assert "a match that no event shares with another price" in text_of(answer)


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(draft: PriceVersion, finance: Client) -> None:
    first, late = form_of(draft, unit_price="2"), form_of(draft, unit_price="3")
    assert finance.post(url("edit", draft, INPUT), first | {"step": "save"}).status_code == 302
    answer = finance.post(url("edit", draft, INPUT), late | {"step": "save"})
    assert "Somebody changed these prices meanwhile" in text_of(answer)
    assert Price.objects.get(version=draft, meter__code="llm.input_tokens").unit_price == 2


def test_the_example_is_asked_for_alone(draft: PriceVersion, finance: Client) -> None:
    sent = form_of(draft, unit_price="0.5") | {"step": "example", "example": "3"}
    assert finance.post(url("edit", draft, INPUT), sent).json() == {"examples": {"0": "3 units cost 1.50 USD"}}


def test_versions_are_compared_in_words(draft: PriceVersion, finance: Client) -> None:
    finance.post(url("edit", draft, INPUT), form_of(draft, unit_price="0.00002") | {"step": "save"})
    page = text_of(finance.get(url("compare", draft)))
    assert "Version 2 against version 1" in page
    assert "1 changed 0 added 0 removed 1 as before" in page
    assert "10.00 USD per million 20.00 USD per million" in page


def test_a_new_version_begins_with_the_prices_in_force(shop: Shop, finance: Client) -> None:
    book = PriceBook.objects.get()
    answers = {"note": "Spring", "step": "confirm", "token": "t"}
    answer = finance.post(reverse("admin:pricing_pricebook_draft", args=[book.pk]), answers)
    version = PriceVersion.objects.get(number=2)
    assert answer.headers["Location"] == url("edit", version)
    assert (version.note, Price.objects.filter(version=version).count()) == ("Spring", 2)


def test_a_new_book_gets_its_first_price(shop: Shop, finance: Client) -> None:
    made = {"name": "Enterprise", "currency": "EUR", "step": "confirm", "token": "a"}
    assert finance.post(reverse("admin:pricing_pricebook_new"), made).status_code == 302
    book = PriceBook.objects.get(name="Enterprise")
    first = {"meter": "llm.input_tokens", "unit_price": "0.5", "step": "confirm", "token": "b"}
    assert finance.post(reverse("admin:pricing_pricebook_draft", args=[book.pk]), first).status_code == 302
    price = Price.objects.get(version__book=book)
    assert (price.unit_price, price.currency) == (D("0.5"), "EUR")


def test_files_go_out_and_come_back(draft: PriceVersion, finance: Client) -> None:
    for kind in ("csv", "json"):
        out = finance.get(reverse("admin:pricing_priceversion_file", args=[draft.pk, kind]))
        sent = {"file": SimpleUploadedFile(f"prices.{kind}", out.content), "note": "Imported"}
        answer = finance.post(reverse("admin:pricing_pricebook_import", args=[draft.book_id]), sent)
        assert answer.status_code == 302
        made = PriceVersion.objects.order_by("-number")[0]
        assert write_csv(terms_of_version(made)) == write_csv(terms_of_version(draft))
    wrong = SimpleUploadedFile("prices.csv", b"meter,unit_price\nllm.input_tokens,1\nnothing,x\n")
    answer = finance.post(url("import", draft), {"file": wrong})
    assert answer.status_code == 422
    assert "3 unit_price a decimal number such as 0.00001" in text_of(answer)


def test_a_scheduled_version_is_withdrawn_with_a_reason(draft: PriceVersion, finance: Client) -> None:
    publish = {"effective_at": "2099-01-01T00:00", "reason": "New year", "step": "confirm", "token": "t"}
    finance.post(url("publish", draft), publish)
    assert "Withdraw" in text_of(finance.get(url("change", draft)))
    finance.post(url("withdraw", draft), {"reason": "Too early", "step": "confirm", "token": "u"})
    assert PriceVersion.objects.get(number=3).note == "Withdraws version 2: Too early"


def test_a_published_version_is_not_edited_and_support_edits_nothing(
    draft: PriceVersion, finance: Client, support: Client
) -> None:
    live = PriceVersion.objects.get(number=1)
    assert finance.get(url("edit", live)).status_code == 302
    views: list[tuple[str, Any]] = [(view, draft) for view in ("edit", "import", "copy", "withdraw", "publish")]
    assert {support.get(url(view, version)).status_code for view, version in views} == {403}
    assert support.get(url("compare", draft)).status_code == 200
    for view in ("draft", "import"):
        assert support.get(reverse(f"admin:pricing_pricebook_{view}", args=[draft.book_id])).status_code == 403
