"""The back office's pages on prices; importing this registers them."""

from pricing.admin import meters, plans, price_books, price_versions, subscriptions, vouchers

__all__ = ["meters", "plans", "price_books", "price_versions", "subscriptions", "vouchers"]
