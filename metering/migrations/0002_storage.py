"""What Django's schema cannot say: row ids handed out in blocks, and room for roll-ups to be updated in place."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("metering", "0001_initial")]

    operations = [
        migrations.RunSQL("CREATE SEQUENCE metering_event_blocks", "DROP SEQUENCE metering_event_blocks"),
        migrations.RunSQL("ALTER TABLE metering_hourlyusage SET (fillfactor = 70)", migrations.RunSQL.noop),
    ]
