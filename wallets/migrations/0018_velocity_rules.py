from decimal import Decimal

from django.db import migrations

# name, measure, per, minutes, limit, currency, then
RULES = [
    ("Attempts of an account in an hour", "COUNT", "ACCOUNT", 60, "10", "", "REFUSE"),
    ("Attempts with a card in an hour", "COUNT", "CARD", 60, "10", "", "REFUSE"),
    ("Attempts from an address in an hour", "COUNT", "ADDRESS", 60, "20", "", "REFUSE"),
    ("Different cards of an account in a day", "CARDS", "ACCOUNT", 1440, "5", "", "REFUSE"),
    ("Different cards from an address in an hour", "CARDS", "ADDRESS", 60, "5", "", "REFUSE"),
    ("Declines of an account in an hour", "DECLINES", "ACCOUNT", 60, "4", "", "REFUSE"),
    ("Declines from an address in an hour", "DECLINES", "ADDRESS", 60, "10", "", "REFUSE"),
    ("Amount of an account in a day", "AMOUNT", "ACCOUNT", 1440, "20000", "USD", "REVIEW"),
]


def add_rules(apps, schema_editor):
    rules = apps.get_model("wallets", "VelocityRule")
    for name, measure, per, minutes, limit, currency, then in RULES:
        rules.objects.get_or_create(
            name=name,
            defaults={
                "measure": measure, "per": per, "window_minutes": minutes, "limit": Decimal(limit), "currency": currency,
                "then": then,
            },
        )


class Migration(migrations.Migration):
    """The rules to begin with: card testing is stopped before anybody has set a rule. Administrators change them."""

    dependencies = [("wallets", "0017_risk")]

    operations = [migrations.RunPython(add_rules, migrations.RunPython.noop)]
