"""What Django's schema cannot say: row ids handed out in blocks, and room for updates in place on the busiest tables."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("wallets", "0001_initial")]

    operations = [
        migrations.RunSQL("CREATE SEQUENCE wallets_entry_blocks", "DROP SEQUENCE wallets_entry_blocks"),
        migrations.RunSQL("ALTER TABLE wallets_wallet SET (fillfactor = 50)", migrations.RunSQL.noop),
        migrations.RunSQL("ALTER TABLE wallets_creditlot SET (fillfactor = 70)", migrations.RunSQL.noop),
    ]
