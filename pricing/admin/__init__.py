"""The back office's pages on prices; importing this registers them."""

from pricing.admin import meters, price_books

__all__ = ["meters", "price_books"]
