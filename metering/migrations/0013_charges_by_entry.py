"""Statements read the charges of a period's entries. Rows come about in the order of their entries, so a BRIN index leaves out
what lies before and after at next to no cost for a batch."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("metering", "0012_what_the_gate_decided")]

    operations = [
        migrations.RunSQL(
            "CREATE INDEX charge_by_entry ON metering_charge USING brin (entry_id) WITH (pages_per_range = 64, autosummarize = on)",
            "DROP INDEX charge_by_entry",
        ),
        migrations.RunSQL(
            "CREATE INDEX event_by_arrival ON metering_usageevent USING brin (received_at)"
            " WITH (pages_per_range = 64, autosummarize = on)",
            "DROP INDEX event_by_arrival",
        ),
    ]
