from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('wallets', '0019_statements'),
    ]

    operations = [
        migrations.RenameModel(old_name='ReceiptSeries', new_name='NumberSeries'),
        migrations.RemoveConstraint(model_name='numberseries', name='receipt_series_once'),
        migrations.AddField(
            model_name='numberseries',
            name='document',
            field=models.CharField(default='receipt', help_text='receipt, statement', max_length=20),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name='numberseries',
            constraint=models.UniqueConstraint(fields=('document', 'entity', 'year'), name='number_series_once'),
        ),
        migrations.RunSQL(
            "INSERT INTO wallets_numberseries (document, entity, year, last_number)"
            " SELECT 'statement', entity, year, last_number FROM wallets_statementseries",
            migrations.RunSQL.noop,
        ),
        migrations.DeleteModel(name='StatementSeries'),
    ]
