"""Django's index of this app's models; imported by nobody. The models live in the rooms."""

from pricing.books.models import Assignment, Price, PriceBook, PriceVersion
from pricing.meters.models import CatalogueToken, Meter

__all__ = ["Assignment", "CatalogueToken", "Meter", "Price", "PriceBook", "PriceVersion"]
