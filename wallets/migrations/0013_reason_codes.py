from django.db import migrations

REASONS = [
    ("complaint", "Complaint settled"),
    ("outage", "Outage or poor service"),
    ("billing_error", "Billed wrongly"),
    ("duplicate_charge", "Charged twice"),
    ("lost_payment", "Payment that was not credited"),
    ("granted_in_error", "Credit granted in error"),
    ("fraud", "Fraud or abuse"),
    ("uncollectible", "Customer cannot or will not pay"),
]


def add_reasons(apps, schema_editor):
    reasons = apps.get_model("wallets", "ReasonCode")
    reasons.objects.bulk_create([reasons(code=code, title=title) for code, title in REASONS], ignore_conflicts=True)


class Migration(migrations.Migration):
    """The reasons to begin with; administrators add theirs and retire these. They are never deleted, so there is no way back
    but keeping them."""

    dependencies = [("wallets", "0012_adjustments")]

    operations = [migrations.RunPython(add_reasons, migrations.RunPython.noop)]
