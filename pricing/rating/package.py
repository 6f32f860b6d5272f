"""package: every started package of `package_size` costs `package_price`, after `free_units`. Pure."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from pricing.meters.measure import Quantity
from pricing.rating.explanation import PriceTerms
from pricing.rating.rounding import too_large
from wallets.money import LARGEST, ZERO


def total_of_packages(price: PriceTerms) -> Callable[[Quantity], Decimal]:
    """The exact price of a period's total (zero or more)."""
    size, package_price, free = price.package_size, price.package_price, price.free_units
    assert size, "price_package_goes_with_its_model"
    assert package_price is not None, "price_package_goes_with_its_model"

    whole = size == size.to_integral_value() and free == free.to_integral_value()
    whole_size, whole_free = int(size), int(free)

    def total(quantity: Quantity) -> Decimal:
        if quantity > LARGEST:
            raise too_large(quantity)
        if whole and type(quantity) is int:  # the same in whole numbers, quicker
            return package_price * max(0, -((whole_free - quantity) // whole_size))
        beyond = quantity - free
        if beyond <= 0:
            return ZERO
        full, started = divmod(beyond, size)
        return package_price * (full + 1 if started else full)

    return total
