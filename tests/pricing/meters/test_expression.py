"""Quantities computed from properties: exact or refused, never evaluated as code. Pure."""

from __future__ import annotations

from decimal import Decimal as D
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.meters.expression import DEEPEST, LONGEST, Expression, ExpressionRefused, compile_expression
from pricing.meters.quantity import NotAQuantity
from wallets.money import LARGEST

PROPERTIES: dict[str, Any] = {
    "a": 7,
    "b": D("2.5"),
    "c": "0.000000000001",
    "x.y": 3,
    "input-tokens": 40,
    "min": 9,
    "none": None,
}


def quantity(text: str, properties: dict[str, Any] | None = None) -> Any:
    return compile_expression(text).quantity(PROPERTIES if properties is None else properties)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("a", 7), ("a - b", D("4.5")), ("a-b", D("4.5")), ("a + b * 2", 12), ("(a + b) * 2", 19), ("a - b - 1", D("3.5")),
        ("8 / 2 / 2 * a", 14), ("2 * -b + a", 2), ("--a", 7), ("a * c", D("0.000000000007")), ("x.y * 2", 6),
        ('"input-tokens" - a', 33), ("min + 1", 10), ("min(a, b, 3)", D("2.5")), ("max(a, b)", 7), ("max(a)", 7),
        ("min (a, b)", D("2.5")), ("coalesce(missing, a)", 7), ("coalesce(none, missing * 2, b)", D("2.5")),
        ("a - coalesce(missing, 0)", 7), ("max(0, b - a) + 0 * a", 0), ("\ta  -\t1 ", 6),
        # 7 / 3 = 2.333..., 2 / 3 = 0.666...: to 12 decimals, half up
        ("a / 3", D("2.333333333333")), ("2 / 3 + 0 * a", D("0.666666666667")),
        # Half of the last decimal goes up: 0.000000000001 / 2 = 0.0000000000005; below zero it goes away from zero
        ("c / 2", D("0.000000000001")), ("a - c / -2", D("7.000000000001")),
        ("a / b", D("2.8")), ("1073741824 * a / 1073741824", 7),
    ],
)  # fmt: skip
def test_worked_by_hand(text: str, result: D | int) -> None:
    assert quantity(text) == result


def test_whole_results_stay_whole() -> None:
    assert type(quantity("a * 2")) is int
    assert type(quantity("b * 2")) is int
    assert type(quantity("a * b")) is D


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "character 1: a number, a property"), ("  ", "character 3: a number, a property"),
        ("a +", "character 4: a number"),
        ("a b", "character 3: an operator"), ("a $ b", "character 3: a number"), ("a ** 2", "character 4: a number"),
        ("a // 2", "character 4"), ("a = 2", "character 3"), ("(a", "character 3: a closing"), ("a)", "character 2"),
        ("min(a", "character 6: a closing"), ("min()", "character 5: a number"), ("min(a,)", "character 7"),
        ("min(a b)", "character 7: a closing"), ("a.b()", "character 4: an operator"), ("abs(a)", "character 4: an operator"),
        ("__import__('os')", "character 12"), ("a, b", "character 2: an operator"), ('""', "a property of 1 to 120"),
        ('"a', "character 1"), ("x" * 121, "a property of 1 to 120"), ("1e3 * a", "character 2"), (".5 * a", "character 1"),
        ("5. * a", "character 2"), ("0.0000000000001 * a", "a number of at most 30 digits and 12 decimals"),
        ("1" * 31 + " * a", "a number of at most"), ("7", "at least one property"), ("min(1, 2)", "at least one property"),
        ("(" * (DEEPEST + 1) + "a" + ")" * (DEEPEST + 1), "at most 20"), ("-" * (DEEPEST + 1) + "a", "at most 20"),
        ("a" + "+a" * 50, "at most 100"), ("a" * (LONGEST + 1), "at most 500"), ("a\n+ b", "character 2"),
        ("３ * a", "character 1"),
        ("a # b", "character 3"), ("lambda: a", "character 7"), ("a if a else b", "character 3"), ("a\x00", "character 2"),
    ],
)  # fmt: skip
def test_what_is_no_expression_is_refused_at_its_place(text: str, where: str) -> None:
    with pytest.raises(ExpressionRefused) as refused:
        compile_expression(text)
    assert where in str(refused.value)


@pytest.mark.parametrize(
    ("text", "properties", "why"),
    [
        ("a - b", {"a": 1, "b": 2}, "a - b must not be negative"),
        ("a / b", {"a": 1, "b": 0}, "divides by zero"),
        ("a / (b - b)", {"a": 0, "b": 1}, "divides by zero"),
        ("a - b", {"a": 1}, "properties.b is needed by a - b"),
        ("a - b", {"a": 1, "b": None}, "properties.b is needed"),
        ("a - b", {"a": 1, "b": "many"}, "properties.b must be a number"),
        ("a - b", {"a": 1, "b": -1}, "properties.b must not be negative"),
        ("a - b", {"a": 1, "b": True}, "properties.b must be a number, not bool"),
        ("a * b", {"a": LARGEST, "b": 2}, "is too large"),
        ("a * b", {"a": D("0.000001"), "b": D("0.0000001")}, "has more than 12 decimals"),
        ("a*a*a", {"a": LARGEST}, "has more than 80 digits"),
        ("a*a*a*a*a*a*a*a*a*a*a*a*a*a*a/(b*b*b*b*b*b*b)", {"a": 10**17, "b": D("1e-12")}, "is too large"),
        ("a/(b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b)", {"a": 1, "b": D("1e-12")},
         "more than 80 digits"),
        ("coalesce(b, c) + a", {"a": 1}, "properties.c is needed"),
    ],
)  # fmt: skip
def test_what_cannot_be_computed_exactly_is_refused(text: str, properties: dict[str, Any], why: str) -> None:
    with pytest.raises(NotAQuantity) as refused:
        quantity(text, properties)
    assert why in str(refused.value)


def test_an_event_without_any_of_the_properties_is_not_measured() -> None:
    assert quantity("coalesce(a, 5) + coalesce(b, 7)", {"other": 1, "b": None}) is None
    assert compile_expression('a + "b c" - min').names == {"a", "b c", "min"}


NAMES = {"a": "a", "b": "b", "input-tokens": '"input-tokens"'}
VALUES = st.integers(0, 10**9) | st.decimals(0, 10**6, places=6)


def spoken(tree: Any) -> str:
    """A tree in words of the language, with every parenthesis."""
    if isinstance(tree, str):
        return NAMES[tree]
    if isinstance(tree, D | int):
        return f"{tree:f}" if isinstance(tree, D) else str(tree)
    operator, *parts = tree
    if operator in ("min", "max"):
        return f"{operator}({', '.join(map(spoken, parts))})"
    return f"({f' {operator} '.join(map(spoken, parts))})" if len(parts) > 1 else f"-({spoken(parts[0])})"


def worked_out(tree: Any, properties: dict[str, Any]) -> Fraction:
    """The same tree in fractions."""
    if isinstance(tree, str):
        return Fraction(properties[tree])
    if isinstance(tree, D | int):
        return Fraction(tree)
    operator, *parts = tree
    values = [worked_out(part, properties) for part in parts]
    if operator in ("min", "max"):
        return min(values) if operator == "min" else max(values)
    if len(values) == 1:
        return -values[0]
    left, right = values
    if operator == "/":
        exact = left / right * 10**12
        rounded = (abs(exact) + Fraction(1, 2)).__floor__()
        return Fraction(rounded if exact > 0 else -rounded, 10**12)
    return {"+": left + right, "-": left - right, "*": left * right}[operator]


TREES = st.recursive(
    st.sampled_from(sorted(NAMES)) | st.integers(0, 1000) | st.decimals(0, 100, places=3),
    lambda inner: (
        st.tuples(st.sampled_from(["+", "-", "*", "/"]), inner, inner)
        | st.tuples(st.sampled_from(["min", "max"]), inner, inner)
        | st.tuples(st.just("-"), inner)
    ),
    max_leaves=6,
)


@given(TREES, st.fixed_dictionaries(dict.fromkeys(NAMES, VALUES)))
def test_any_expression_is_worked_out_as_in_fractions_or_refused(tree: Any, properties: dict[str, Any]) -> None:
    text = f"{spoken(tree)} + 0 * a"
    try:
        expected: Fraction | None = worked_out(tree, properties)
    except ZeroDivisionError:
        expected = None
    fits = expected is not None and 0 <= expected <= Fraction(LARGEST) and (expected * 10**12).denominator == 1
    try:
        found = quantity(text, properties)
    except NotAQuantity as refused:
        found = refused
    if isinstance(found, NotAQuantity):
        assert not fits or "more than 80 digits" in str(found)
    else:
        assert fits
        assert Fraction(found) == expected


@given(st.text('ab1.5+-*/()", _minmaxcoalesce', max_size=60) | st.text(max_size=40))
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    try:
        compiled = compile_expression(text)
    except ExpressionRefused:
        return
    assert isinstance(compiled, Expression)
    try:
        found = compiled.quantity(dict.fromkeys(compiled.names, 3))
    except NotAQuantity:
        return
    assert found is not None
    assert 0 <= found <= LARGEST
