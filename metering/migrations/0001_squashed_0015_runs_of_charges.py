"""The tables as the migrations this replaces leave them, made at once. A database that ran those counts this as run."""

import django.db.models.deletion
import django.db.models.expressions
import functools
import metering.caps.models
import metering.usage.models
import pgtrigger.compiler
import pgtrigger.migrations
import wallets.ids
from decimal import Decimal
from django.db import migrations, models

from wallets.migrations._at_once import AtOnce


class Migration(migrations.Migration):

    replaces = [
        ('metering', '0001_initial'),
        ('metering', '0002_storage'),
        ('metering', '0003_replay_checkpoint'),
        ('metering', '0004_exact_properties'),
        ('metering', '0005_counted_charges'),
        ('metering', '0006_spend_caps'),
        ('metering', '0007_tally_of_arrivals'),
        ('metering', '0008_re_rating'),
        ('metering', '0009_charges_of_a_counter_are_a_stack'),
        ('metering', '0010_what_holds_reserve_of_caps'),
        ('metering', '0011_mirrored_hours'),
        ('metering', '0012_what_the_gate_decided'),
        ('metering', '0013_charges_by_entry'),
        ('metering', '0014_simulation_runs'),
        ('metering', '0015_runs_of_charges'),
    ]

    initial = True

    dependencies = [
        ('pricing', '0001_squashed_0012_top_of_what_counters_drew'),
        ('wallets', '0001_squashed_0033_notes_and_search'),
    ]

    operations = [
        AtOnce([
            migrations.CreateModel(
                name='CapProperties',
                fields=[
                    ('account', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='cap_properties', serialize=False, to='wallets.account')),
                    ('team', models.CharField(default='team', max_length=120)),
                    ('user', models.CharField(default='user', max_length=120)),
                    ('api_key', models.CharField(default='api_key', max_length=120)),
                    ('cost_centre', models.CharField(default='cost_centre', max_length=120)),
                ],
                options={
                    'verbose_name_plural': 'cap properties',
                },
            ),
            migrations.CreateModel(
                name='ReplayCheckpoint',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('key', models.CharField(help_text="hash of the file's name, size and beginning, and of the map", max_length=64, unique=True)),
                    ('file_name', models.CharField(max_length=255)),
                    ('shift', models.DurationField(help_text='added to the time of every event')),
                    ('offset', models.BigIntegerField(default=0)),
                    ('line', models.BigIntegerField(default=0)),
                    ('row', models.BigIntegerField(default=0)),
                    ('started_at', models.DateTimeField()),
                    ('updated_at', models.DateTimeField()),
                    ('finished_at', models.DateTimeField(blank=True, null=True)),
                ],
            ),
            migrations.CreateModel(
                name='CopyCheck',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('checked_at', models.DateTimeField()),
                    ('accounts', models.IntegerField()),
                    ('missing', models.IntegerField()),
                    ('behind', models.IntegerField()),
                    ('different', models.IntegerField()),
                    ('settings', models.IntegerField()),
                ],
                options={
                    'indexes': [models.Index(fields=['checked_at'], name='copy_check_by_time')],
                },
            ),
            migrations.CreateModel(
                name='GateDecisions',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('length', models.CharField(choices=[('minute', 'Minute'), ('hour', 'Hour')], max_length=6)),
                    ('start', models.DateTimeField()),
                    ('reason', models.CharField(help_text='allow, or why not', max_length=32)),
                    ('decisions', models.BigIntegerField()),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('start', 'length', 'reason'), name='gate_decisions_once'), models.CheckConstraint(condition=models.Q(('length__in', ['minute', 'hour'])), name='gate_decisions_length_is_known')],
                },
            ),
            migrations.CreateModel(
                name='IngestTally',
                fields=[
                    ('pk', models.CompositePrimaryKey('bucket', 'day', 'slot', blank=True, editable=False, primary_key=True, serialize=False)),
                    ('bucket', models.SmallIntegerField()),
                    ('day', models.DateField()),
                    ('slot', models.SmallIntegerField()),
                    ('received', models.BigIntegerField()),
                    ('rated', models.BigIntegerField()),
                    ('parked', models.BigIntegerField()),
                    ('duplicates', models.BigIntegerField()),
                    ('rejected', models.BigIntegerField()),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('received', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('rated'), '+', models.F('parked')), '+', models.F('duplicates')), '+', models.F('rejected')))), name='tally_loses_nothing'), models.CheckConstraint(condition=models.Q(('duplicates__gte', 0), ('parked__gte', 0), ('rated__gte', 0), ('rejected__gte', 0)), name='tally_counts_up')],
                },
            ),
            migrations.CreateModel(
                name='RerateRun',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('public_id', models.CharField(default=functools.partial(wallets.ids.new_public_id, *('rer',), **{}), editable=False, max_length=40, unique=True)),
                    ('start', models.DateTimeField(help_text="of the events' own time, inclusive")),
                    ('end', models.DateTimeField(help_text='exclusive')),
                    ('reason', models.CharField(max_length=500)),
                    ('actor', models.CharField(blank=True, max_length=200)),
                    ('status', models.CharField(choices=[('RUNNING', 'Running'), ('DONE', 'Done')], default='RUNNING', max_length=8)),
                    ('created_at', models.DateTimeField()),
                    ('finished_at', models.DateTimeField(blank=True, null=True)),
                    ('account', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallets.account')),
                    ('meter', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='pricing.meter')),
                    ('right_version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='pricing.priceversion')),
                    ('wrong_version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='pricing.priceversion')),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('status__in', ['RUNNING', 'DONE'])), name='rerate_run_status_known'), models.CheckConstraint(condition=models.Q(('start__lt', models.F('end'))), name='rerate_run_starts_before_it_ends'), models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', True), ('status', 'RUNNING')), models.Q(('finished_at__isnull', False), ('status', 'DONE')), _connector='OR'), name='rerate_run_done_has_its_time')],
                },
            ),
            migrations.CreateModel(
                name='SimulationRun',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('public_id', models.CharField(default=functools.partial(wallets.ids.new_public_id, *('sim',), **{}), editable=False, max_length=40, unique=True)),
                    ('start', models.DateTimeField()),
                    ('end', models.DateTimeField(help_text='exclusive')),
                    ('only_payers', models.BooleanField(default=False)),
                    ('asked_by', models.CharField(blank=True, max_length=200)),
                    ('asked_at', models.DateTimeField()),
                    ('state', models.CharField(choices=[('WAITING', 'Waiting'), ('RUNNING', 'Running'), ('DONE', 'Done'), ('FAILED', 'Failed')], default='WAITING', max_length=8)),
                    ('done', models.BigIntegerField(default=0, help_text='charges rated one by one so far')),
                    ('total', models.BigIntegerField(default=0, help_text='of how many')),
                    ('heard_at', models.DateTimeField(help_text='when its worker last said how far it is')),
                    ('finished_at', models.DateTimeField(null=True)),
                    ('failure', models.CharField(blank=True, max_length=500)),
                    ('result', models.JSONField(null=True)),
                    ('account', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='wallets.account')),
                    ('version', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='pricing.priceversion')),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['WAITING', 'RUNNING', 'DONE', 'FAILED'])), name='simulation_run_state_is_known'), models.CheckConstraint(condition=models.Q(('start__lt', models.F('end'))), name='simulation_run_starts_before_it_ends'), models.CheckConstraint(condition=models.Q(models.Q(('result__isnull', False), ('state', 'DONE')), models.Q(models.Q(('state', 'DONE'), _negated=True), ('result__isnull', True)), _connector='OR'), name='simulation_run_done_has_its_result')],
                },
            ),
            migrations.CreateModel(
                name='SpendCap',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('bucket', models.SmallIntegerField()),
                    ('public_id', models.CharField(default=metering.caps.models.new_cap_id, max_length=32, unique=True)),
                    ('scope', models.CharField(choices=[('account', 'Account'), ('team', 'Team'), ('user', 'User'), ('api_key', 'Api Key'), ('cost_centre', 'Cost Centre')], max_length=11)),
                    ('value', models.CharField(blank=True, max_length=255)),
                    ('window', models.CharField(choices=[('day', 'Day'), ('month', 'Month'), ('total', 'Total')], max_length=5)),
                    ('currency', models.CharField(blank=True, help_text='what the limit is in; empty: units of the meter', max_length=16)),
                    ('limit', models.DecimalField(decimal_places=12, max_digits=30)),
                    ('state', models.CharField(choices=[('ACTIVE', 'Active'), ('REMOVED', 'Removed')], default='ACTIVE', max_length=7)),
                    ('set_at', models.DateTimeField()),
                    ('removed_at', models.DateTimeField(blank=True, null=True)),
                    ('actor', models.CharField(blank=True, max_length=200)),
                    ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='spend_caps', to='wallets.account')),
                    ('meter', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='pricing.meter')),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('scope__in', ['account', 'team', 'user', 'api_key', 'cost_centre'])), name='cap_scope_is_known'), models.CheckConstraint(condition=models.Q(('window__in', ['day', 'month', 'total'])), name='cap_window_is_known'), models.CheckConstraint(condition=models.Q(('limit__gte', 0)), name='cap_limit_not_negative'), models.CheckConstraint(condition=models.Q(models.Q(('scope', 'account'), _negated=True), ('value', ''), _connector='OR'), name='cap_of_account_has_no_value'), models.CheckConstraint(condition=models.Q(models.Q(('currency', ''), ('meter__isnull', False)), models.Q(models.Q(('currency', ''), _negated=True), ('meter__isnull', True)), _connector='OR'), name='cap_in_money_or_units'), models.CheckConstraint(condition=models.Q(models.Q(('removed_at__isnull', True), ('state', 'ACTIVE')), models.Q(('removed_at__isnull', False), ('state', 'REMOVED')), _connector='OR'), name='cap_state_is_known'), models.UniqueConstraint(condition=models.Q(('state', 'ACTIVE')), fields=('account', 'scope', 'value', 'window', 'currency', 'meter'), name='cap_once', nulls_distinct=False)],
                },
            ),
            migrations.CreateModel(
                name='CapReservation',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('bucket', models.SmallIntegerField()),
                    ('value', models.CharField(blank=True, max_length=255)),
                    ('amount', models.DecimalField(decimal_places=12, max_digits=30)),
                    ('hold', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='wallets.hold')),
                    ('cap', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reservations', to='metering.spendcap')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('hold', 'cap'), name='cap_reservation_once'), models.CheckConstraint(condition=models.Q(('amount__gte', 0)), name='cap_reservation_not_negative')],
                },
            ),
            migrations.CreateModel(
                name='SpendCounter',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('bucket', models.SmallIntegerField()),
                    ('window_start', models.DateTimeField()),
                    ('value', models.CharField(blank=True, max_length=255)),
                    ('used', models.DecimalField(decimal_places=12, max_digits=30)),
                    ('version', models.BigIntegerField()),
                    ('reached_at', models.DateTimeField(blank=True, help_text='when it was told that the limit is reached', null=True)),
                    ('cap', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='counters', to='metering.spendcap')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('cap', 'window_start', 'value'), name='spend_counter_once')],
                },
            ),
            migrations.CreateModel(
                name='UsageEvent',
                fields=[
                    ('id', models.BigIntegerField(primary_key=True, serialize=False)),
                    ('bucket', models.SmallIntegerField()),
                    ('event_id', models.CharField(max_length=512)),
                    ('type', models.CharField(max_length=120)),
                    ('time', models.DateTimeField()),
                    ('received_at', models.DateTimeField()),
                    ('properties', models.JSONField(decoder=metering.usage.models.ExactNumbers)),
                    ('account', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallets.account')),
                ],
                options={
                    'indexes': [models.Index(fields=['account', 'time'], name='event_of_account_by_time')],
                    'constraints': [models.UniqueConstraint(fields=('bucket', 'account', 'event_id'), name='event_once_per_account')],
                },
            ),
            migrations.CreateModel(
                name='ReturnedDraw',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('bucket', models.SmallIntegerField()),
                    ('line', models.SmallIntegerField()),
                    ('amount', models.DecimalField(decimal_places=12, max_digits=30)),
                    ('by_line', models.SmallIntegerField()),
                    ('by_event', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='metering.usageevent')),
                    ('event', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='metering.usageevent')),
                ],
                options={
                    'indexes': [models.Index(fields=['by_event', 'by_line'], name='returned_draw_by_cause')],
                    'constraints': [models.UniqueConstraint(fields=('bucket', 'event', 'line', 'by_event', 'by_line'), name='returned_draw_once_per_charge_and_cause'), models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='returned_draw_amount_positive')],
                },
            ),
            migrations.CreateModel(
                name='RerateItem',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('bucket', models.SmallIntegerField()),
                    ('currency', models.CharField(max_length=16)),
                    ('before', models.DecimalField(decimal_places=12, max_digits=30)),
                    ('after', models.DecimalField(decimal_places=12, max_digits=30)),
                    ('refused', models.CharField(blank=True, max_length=500)),
                    ('account', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallets.account')),
                    ('run', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='items', to='metering.reraterun')),
                    ('event', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='metering.usageevent')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('run', 'event'), name='rerate_item_once_per_run_and_event')],
                },
            ),
            migrations.CreateModel(
                name='EventVoid',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('bucket', models.SmallIntegerField()),
                    ('voided_at', models.DateTimeField()),
                    ('reason', models.CharField(blank=True, max_length=500)),
                    ('actor', models.CharField(blank=True, max_length=200)),
                    ('event', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='void', to='metering.usageevent')),
                ],
            ),
            migrations.CreateModel(
                name='DeadLetter',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('bucket', models.SmallIntegerField()),
                    ('reason', models.CharField(choices=[('no_price', 'No price fits'), ('no_wallet', 'No wallet in the currency of the price'), ('no_quantity', 'No meter of its type found anything to measure')], max_length=16)),
                    ('detail', models.CharField(max_length=500)),
                    ('parked_at', models.DateTimeField()),
                    ('attempts', models.PositiveIntegerField(default=0)),
                    ('replayed_at', models.DateTimeField(blank=True, null=True)),
                    ('account', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallets.account')),
                    ('event', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='dead_letter', to='metering.usageevent')),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('replayed_at__isnull', True)), fields=['parked_at'], name='dead_letter_waiting')],
                },
            ),
            migrations.CreateModel(
                name='Charge',
                fields=[
                    ('pk', models.CompositePrimaryKey('event_id', 'line', blank=True, editable=False, primary_key=True, serialize=False)),
                    ('line', models.SmallIntegerField()),
                    ('bucket', models.SmallIntegerField()),
                    ('quantity', models.DecimalField(decimal_places=12, max_digits=30)),
                    ('amount', models.DecimalField(decimal_places=12, max_digits=30)),
                    ('cost', models.DecimalField(decimal_places=12, max_digits=30)),
                    ('line_from', models.DecimalField(decimal_places=12, max_digits=30, null=True)),
                    ('reverses', models.SmallIntegerField(help_text='line of the charge this one undoes', null=True)),
                    ('counter_place', models.BigIntegerField(help_text='which charge of its counter this is, from 1', null=True)),
                    ('previous_event', models.BigIntegerField(help_text='row id of the event whose charge of the counter drew before this', null=True)),
                    ('previous_line', models.SmallIntegerField(help_text='which charge of that event', null=True)),
                    ('prior_quantity', models.DecimalField(decimal_places=12, help_text='what the counter had priced before', max_digits=30, null=True)),
                    ('prior_events', models.BigIntegerField(help_text='events the counter had seen before', null=True)),
                    ('measured', models.DecimalField(decimal_places=12, help_text='what the event said, where the increase is charged', max_digits=30, null=True)),
                    ('allowance', models.DecimalField(decimal_places=12, help_text='part of the quantity that allowances covered', max_digits=30, null=True)),
                    ('allowance_from', models.DecimalField(decimal_places=12, max_digits=30, null=True)),
                    ('counter', models.ForeignKey(db_constraint=False, db_index=False, help_text='where the price is cumulative', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='pricing.pricecounter')),
                    ('entry', models.ForeignKey(db_constraint=False, db_index=False, help_text='empty when nothing was drawn', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallets.journalentry')),
                    ('meter', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='pricing.meter')),
                    ('price', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='pricing.price')),
                    ('wallet', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallets.wallet')),
                    ('event', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='charges', to='metering.usageevent')),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('measured__isnull', False)), fields=['counter', 'counter_place'], name='measured_charge_of_counter')],
                    'constraints': [models.UniqueConstraint(condition=models.Q(('reverses__isnull', False)), fields=('event', 'reverses'), name='charge_reversed_once')],
                },
            ),
            migrations.CreateModel(
                name='CounterRun',
                fields=[
                    ('pk', models.CompositePrimaryKey('counter_id', 'entry_id', blank=True, editable=False, primary_key=True, serialize=False)),
                    ('bucket', models.SmallIntegerField()),
                    ('prior_quantity', models.DecimalField(decimal_places=12, help_text='what the counter had priced before', max_digits=30)),
                    ('prior_events', models.BigIntegerField(help_text='events the counter had seen before')),
                    ('prior_places', models.BigIntegerField(help_text='charges the counter had before')),
                    ('first_event', models.BigIntegerField(help_text='row id of the event of its first charge')),
                    ('charges', models.IntegerField()),
                    ('drew_event', models.BigIntegerField(help_text='row id of the event whose charge drew last before', null=True)),
                    ('drew_line', models.SmallIntegerField(help_text='which charge of that event', null=True)),
                    ('counter', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='pricing.pricecounter')),
                    ('entry', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallets.journalentry')),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('charges__gt', 0)), name='counter_run_has_charges')],
                },
            ),
            migrations.CreateModel(
                name='HourlyUsage',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('bucket', models.SmallIntegerField()),
                    ('hour', models.DateTimeField()),
                    ('currency', models.CharField(max_length=16)),
                    ('dimensions', models.JSONField()),
                    ('events', models.BigIntegerField()),
                    ('quantity', models.DecimalField(decimal_places=12, max_digits=30)),
                    ('amount', models.DecimalField(decimal_places=12, max_digits=30)),
                    ('cost', models.DecimalField(decimal_places=12, max_digits=30)),
                    ('account', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallets.account')),
                    ('meter', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='pricing.meter')),
                ],
                options={
                    'verbose_name_plural': 'hourly usage',
                    'constraints': [models.UniqueConstraint(fields=('bucket', 'account', 'meter', 'hour', 'currency', 'dimensions'), name='hourly_usage_once')],
                },
            ),
            migrations.CreateModel(
                name='MirroredHour',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('hour', models.DateTimeField()),
                    ('quantity', models.BigIntegerField()),
                    ('times', models.IntegerField()),
                    ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallets.account')),
                    ('meter', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='pricing.meter')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('account', 'meter', 'hour'), name='mirrored_hour_once')],
                },
            ),
            migrations.CreateModel(
                name='RefusedRevenue',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('length', models.CharField(choices=[('minute', 'Minute'), ('hour', 'Hour')], max_length=6)),
                    ('start', models.DateTimeField()),
                    ('currency', models.CharField(max_length=16)),
                    ('amount', models.DecimalField(decimal_places=12, default=Decimal('0'), max_digits=30)),
                    ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallets.account')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('start', 'length', 'account', 'currency'), name='refused_revenue_once'), models.CheckConstraint(condition=models.Q(('length__in', ['minute', 'hour'])), name='refused_revenue_length_is_known')],
                },
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='ingesttally',
                trigger=pgtrigger.compiler.Trigger(name='tally_is_never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='9906dc591e9820edfe74ea89976d3e7096b7cfbb', operation='DELETE', pgid='pgtrigger_tally_is_never_deleted_10d6e', table='metering_ingesttally', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='counterrun',
                trigger=pgtrigger.compiler.Trigger(name='counter_run_is_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='16c4eafd28b5f4e5a666799d522ea8d9baf62c60', operation='UPDATE OR DELETE', pgid='pgtrigger_counter_run_is_append_only_9cc98', table='metering_counterrun', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='counterrun',
                trigger=pgtrigger.compiler.Trigger(name='counter_run_is_not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;", hash='2e3f2f723cf514ee9c87ce0c4602452f6d726c30', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_counter_run_is_not_truncated_b5a0f', table='metering_counterrun', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='reraterun',
                trigger=pgtrigger.compiler.Trigger(name='rerate_run_is_never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='d55eba271ee9fcd14218f78832f3f292275f5695', operation='DELETE', pgid='pgtrigger_rerate_run_is_never_deleted_357e8', table='metering_reraterun', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='spendcap',
                trigger=pgtrigger.compiler.Trigger(name='cap_is_never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='16083ed58e8f013b4bfb9c19c1ee816b29a48f35', operation='DELETE', pgid='pgtrigger_cap_is_never_deleted_3ffa6', table='metering_spendcap', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='usageevent',
                trigger=pgtrigger.compiler.Trigger(name='event_is_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='895d798c37c308f53aebd4a89bc5cbe22d6aadf6', operation='UPDATE OR DELETE', pgid='pgtrigger_event_is_append_only_28404', table='metering_usageevent', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='usageevent',
                trigger=pgtrigger.compiler.Trigger(name='event_is_not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;", hash='beef576e9212d49cd9b38ac8c93229ca606f5c6a', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_event_is_not_truncated_09075', table='metering_usageevent', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='returneddraw',
                trigger=pgtrigger.compiler.Trigger(name='returned_draw_is_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='dc9101b2590645eb39e2ee46a7e9f1ee069f143f', operation='UPDATE OR DELETE', pgid='pgtrigger_returned_draw_is_append_only_f5230', table='metering_returneddraw', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='returneddraw',
                trigger=pgtrigger.compiler.Trigger(name='returned_draw_is_not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;", hash='954d6eab79e4e76df9c587051ef7f43d2c3c5818', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_returned_draw_is_not_truncated_d166f', table='metering_returneddraw', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='rerateitem',
                trigger=pgtrigger.compiler.Trigger(name='rerate_item_is_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='e5baadffad285cf0797df4baed5520a26f4fe1dc', operation='UPDATE OR DELETE', pgid='pgtrigger_rerate_item_is_append_only_7f869', table='metering_rerateitem', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='rerateitem',
                trigger=pgtrigger.compiler.Trigger(name='rerate_item_is_not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;", hash='d4cf3a34e39dd51b0ac8ec945f3a37334db2e263', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_rerate_item_is_not_truncated_75ff8', table='metering_rerateitem', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='eventvoid',
                trigger=pgtrigger.compiler.Trigger(name='void_is_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='5b2e64185ef88cb64b81af47da65bc45b53e362e', operation='UPDATE OR DELETE', pgid='pgtrigger_void_is_append_only_dc685', table='metering_eventvoid', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='eventvoid',
                trigger=pgtrigger.compiler.Trigger(name='void_is_not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;", hash='4fd4724d1f98c3ecf2bb611539e4bb19d82bf016', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_void_is_not_truncated_936e2', table='metering_eventvoid', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='deadletter',
                trigger=pgtrigger.compiler.Trigger(name='dead_letter_is_never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='c1c8ef68d675e22e699e1c4a29ff5f3adab9ced6', operation='DELETE', pgid='pgtrigger_dead_letter_is_never_deleted_23667', table='metering_deadletter', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='charge',
                trigger=pgtrigger.compiler.Trigger(name='charge_is_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='4a82d40cd1a62a871f3bd340ea0c7fee647aecdf', operation='UPDATE OR DELETE', pgid='pgtrigger_charge_is_append_only_51b82', table='metering_charge', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='charge',
                trigger=pgtrigger.compiler.Trigger(name='charge_is_not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;", hash='87df426e6d506c6c0e48c0bdd063808f35f84d59', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_charge_is_not_truncated_98e61', table='metering_charge', when='BEFORE')),
            ),
        ]),
        migrations.RunSQL("CREATE SEQUENCE metering_event_blocks", "DROP SEQUENCE metering_event_blocks"),
        migrations.RunSQL("ALTER TABLE metering_hourlyusage SET (fillfactor = 70)", migrations.RunSQL.noop),
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
