"""The examples of docs/pricing.md, run as a reader would."""

from __future__ import annotations

import json
import re
from decimal import Decimal as D
from typing import Any

import pytest

from pricing.meters.expression import compile_expression
from pricing.rating.rate import MODELS
from tests.cast import Api
from tests.house.source import PROJECT

PAGE = (PROJECT / "docs" / "pricing.md").read_text()
EXAMPLE = re.compile(r"^    (\{.+\})\n    usage +(.+)\n    charges +(.+)$", re.MULTILINE)
EVENT = re.compile(r"([0-9.]+)(?: (\{[^}]*\}))?(?:, |$)")
EXAMPLES = [(json.loads(price), usage, charges) for price, usage, charges in EXAMPLE.findall(PAGE)]


def test_every_model_has_an_example() -> None:
    assert {price["model"] for price, _, _ in EXAMPLES} == set(MODELS)
    assert len(EXAMPLES) == PAGE.count("    charges ")
    assert all(f"## {model}\n" in PAGE for model in MODELS)


@pytest.mark.parametrize(("price", "usage", "charges"), EXAMPLES)
def test_the_example_is_true(vendor: Api, price: dict[str, Any], usage: str, charges: str) -> None:
    events = [{"quantity": quantity, "properties": json.loads(said or "{}")} for quantity, said in EVENT.findall(usage)]
    answer = vendor.post("/pricing/preview", {"price": price, "usage": events}).json()
    expected = [D(amount) for amount in charges.split(", ")]
    assert [D(charge["amount"]) for charge in answer["charges"]] == expected
    assert D(answer["amount"]) == sum(expected)


def test_the_expression_is_one() -> None:
    assert compile_expression("input_tokens - coalesce(cached_tokens, 0)").text in PAGE
