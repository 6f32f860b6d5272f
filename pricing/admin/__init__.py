"""The back office's pages on prices; importing this registers them."""

from pricing.admin import deals, meters, plans, price_books, price_versions, subscriptions, vouchers

__all__ = ["deals", "meters", "plans", "price_books", "price_versions", "subscriptions", "vouchers"]
