"""The tables as the migrations this replaces leave them, made at once. A database that ran those counts this as run."""

import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.text
import pgtrigger.compiler
import pgtrigger.migrations
import pricing.commitments.models
import pricing.credit_products.models
import pricing.plans.models
import wallets.ids
from decimal import Decimal
from django.db import migrations, models

from wallets.migrations._at_once import AtOnce


class Migration(migrations.Migration):

    replaces = [
        ('pricing', '0001_initial'),
        ('pricing', '0002_price_models'),
        ('pricing', '0003_meter_expressions_and_aggregations'),
        ('pricing', '0004_plans_and_credit_products'),
        ('pricing', '0005_package_has_size_and_price'),
        ('pricing', '0006_attempts_are_told_once'),
        ('pricing', '0007_schedules_pins_and_negotiated_books'),
        ('pricing', '0008_counters'),
        ('pricing', '0009_prepared_allowances'),
        ('pricing', '0010_when_a_fee_was_tried'),
        ('pricing', '0011_continued_price_by_its_key'),
        ('pricing', '0012_top_of_what_counters_drew'),
    ]

    initial = True

    dependencies = [
        ('wallets', '0001_squashed_0033_notes_and_search'),
    ]

    operations = [
        AtOnce([
            migrations.CreateModel(
                name='CatalogueToken',
                fields=[
                    ('id', models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                    ('token', models.UUIDField()),
                ],
            ),
            migrations.CreateModel(
                name='Plan',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('public_id', models.CharField(default=pricing.plans.models.new_plan_id, max_length=32, unique=True)),
                    ('code', models.CharField(max_length=60)),
                    ('version', models.PositiveIntegerField(default=1)),
                    ('name', models.CharField(max_length=200)),
                    ('currency', models.CharField(max_length=16)),
                    ('fee', models.DecimalField(decimal_places=12, help_text='per interval', max_digits=30)),
                    ('interval', models.CharField(choices=[('month', 'Month'), ('year', 'Year')], max_length=5)),
                    ('trial_days', models.PositiveSmallIntegerField(default=0)),
                    ('trial_credit', models.DecimalField(decimal_places=12, default=Decimal('0'), max_digits=30)),
                    ('created_at', models.DateTimeField()),
                    ('closed_at', models.DateTimeField(blank=True, help_text='nobody subscribes to it any more', null=True)),
                    ('price_book', models.ForeignKey(blank=True, help_text='for usage and overage', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='plans', to='pricing.pricebook')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('code', 'version'), name='plan_version_once_per_code'), models.UniqueConstraint(condition=models.Q(('closed_at__isnull', True)), fields=('code',), name='plan_one_open_version'), models.CheckConstraint(condition=models.Q(('fee__gte', 0)), name='plan_fee_not_negative'), models.CheckConstraint(condition=models.Q(('trial_credit__gte', 0)), name='plan_trial_credit_not_negative'), models.CheckConstraint(condition=models.Q(('interval__in', ['month', 'year'])), name='plan_interval_is_known'), models.CheckConstraint(condition=models.Q(('code__regex', '^[a-z0-9][a-z0-9._-]{0,59}$')), name='plan_code_is_printable')],
                },
            ),
            migrations.CreateModel(
                name='Commitment',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('public_id', models.CharField(default=pricing.commitments.models.new_commitment_id, max_length=32, unique=True)),
                    ('name', models.CharField(max_length=200)),
                    ('amount', models.DecimalField(decimal_places=12, help_text='per interval', max_digits=30)),
                    ('interval', models.CharField(choices=[('hour', 'Hour'), ('month', 'Month')], max_length=5)),
                    ('discount_percent', models.DecimalField(decimal_places=12, max_digits=30)),
                    ('meters', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=120), help_text='meter codes', size=None)),
                    ('time_zone', models.CharField(max_length=64)),
                    ('starts_at', models.DateTimeField()),
                    ('ends_at', models.DateTimeField()),
                    ('periods', models.PositiveIntegerField(help_text='the term, in intervals')),
                    ('begun', models.PositiveIntegerField(default=0)),
                    ('next_due_at', models.DateTimeField(blank=True, null=True)),
                    ('created_at', models.DateTimeField()),
                    ('actor', models.CharField(blank=True, max_length=200)),
                    ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='commitments', to='wallets.account')),
                    ('wallet', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='commitments', to='wallets.wallet')),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('next_due_at__isnull', False)), fields=['next_due_at'], name='commitment_due')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='commitment_amount_positive'), models.CheckConstraint(condition=models.Q(('discount_percent__gte', 0), ('discount_percent__lt', 100)), name='commitment_discount_is_a_percentage'), models.CheckConstraint(condition=models.Q(('interval__in', ['hour', 'month'])), name='commitment_interval_is_known'), models.CheckConstraint(condition=models.Q(models.Q(('begun', models.F('periods')), ('next_due_at__isnull', True)), models.Q(('begun__lt', models.F('periods')), ('next_due_at__isnull', False)), _connector='OR'), name='commitment_due_until_its_term_ends')],
                },
            ),
            migrations.CreateModel(
                name='CommitmentPeriod',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('index', models.PositiveIntegerField()),
                    ('starts_at', models.DateTimeField()),
                    ('ends_at', models.DateTimeField()),
                    ('entry_id', models.BigIntegerField(help_text='the journal entry of the fee; none for a period that was missed', null=True)),
                    ('commitment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='charged', to='pricing.commitment')),
                    ('lot', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallets.creditlot')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('commitment', 'index'), name='commitment_period_once'), models.CheckConstraint(condition=models.Q(models.Q(('entry_id__isnull', True), ('lot__isnull', True)), models.Q(('entry_id__isnull', False), ('lot__isnull', False)), _connector='OR'), name='commitment_period_is_charged_with_its_lot')],
                },
            ),
            migrations.CreateModel(
                name='CreditProduct',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('public_id', models.CharField(default=pricing.credit_products.models.new_product_id, max_length=32, unique=True)),
                    ('code', models.CharField(max_length=60, unique=True)),
                    ('name', models.CharField(max_length=200)),
                    ('currency', models.CharField(help_text="of the credit: the wallet's", max_length=16)),
                    ('price_currency', models.CharField(help_text='of the money paid for it', max_length=16)),
                    ('amount', models.DecimalField(blank=True, decimal_places=12, max_digits=30, null=True)),
                    ('price', models.DecimalField(blank=True, decimal_places=12, max_digits=30, null=True)),
                    ('bonus', models.DecimalField(decimal_places=12, default=Decimal('0'), help_text='promotional, beside', max_digits=30)),
                    ('least', models.DecimalField(blank=True, decimal_places=12, max_digits=30, null=True)),
                    ('most', models.DecimalField(blank=True, decimal_places=12, max_digits=30, null=True)),
                    ('validity_days', models.PositiveIntegerField(blank=True, null=True)),
                    ('meters', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=120), blank=True, default=list, help_text='meter codes; empty: all', size=None)),
                    ('priority', models.SmallIntegerField(default=50)),
                    ('created_at', models.DateTimeField()),
                    ('archived_at', models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('amount__gt', 0), ('least__isnull', True), ('most__isnull', True), ('price__gt', 0)), models.Q(('amount__isnull', True), ('bonus', 0), ('least__gt', 0), ('most__gte', models.F('least')), ('price__isnull', True)), _connector='OR'), name='product_is_fixed_or_open'), models.CheckConstraint(condition=models.Q(('bonus__gte', 0)), name='product_bonus_not_negative'), models.CheckConstraint(condition=models.Q(('code__regex', '^[a-z0-9][a-z0-9._-]{0,59}$')), name='product_code_is_printable')],
                },
            ),
            migrations.CreateModel(
                name='BonusSlab',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('from_amount', models.DecimalField(decimal_places=12, max_digits=30)),
                    ('percent', models.DecimalField(decimal_places=12, max_digits=30)),
                    ('product', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='slabs', to='pricing.creditproduct')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('product', 'from_amount'), name='slab_once_per_product_and_amount'), models.CheckConstraint(condition=models.Q(('from_amount__gt', 0), ('percent__gt', 0)), name='slab_positive')],
                },
            ),
            migrations.CreateModel(
                name='CreditUnitRate',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('unit', models.CharField(max_length=16)),
                    ('currency', models.CharField(max_length=16)),
                    ('units', models.DecimalField(decimal_places=12, max_digits=30)),
                    ('effective_at', models.DateTimeField()),
                    ('created_at', models.DateTimeField()),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('unit', 'currency', 'effective_at'), name='unit_rate_once_per_time'), models.CheckConstraint(condition=models.Q(('units__gt', 0)), name='unit_rate_positive'), models.CheckConstraint(condition=models.Q(('unit', models.F('currency')), _negated=True), name='unit_rate_between_two')],
                },
            ),
            migrations.CreateModel(
                name='CreditPurchase',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('public_id', models.CharField(default=pricing.credit_products.models.new_purchase_id, max_length=32, unique=True)),
                    ('payment_reference', models.CharField(max_length=200)),
                    ('price', models.DecimalField(decimal_places=12, max_digits=30)),
                    ('price_currency', models.CharField(max_length=16)),
                    ('at', models.DateTimeField()),
                    ('actor', models.CharField(blank=True, max_length=200)),
                    ('bonus_lot', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallets.creditlot')),
                    ('lot', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallets.creditlot')),
                    ('product', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='purchases', to='pricing.creditproduct')),
                    ('wallet', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='purchases', to='wallets.wallet')),
                    ('rate', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='pricing.creditunitrate')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('payment_reference',), name='purchase_once_per_payment')],
                },
            ),
            migrations.CreateModel(
                name='Meter',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('code', models.CharField(max_length=120, unique=True)),
                    ('name', models.CharField(blank=True, max_length=200)),
                    ('unit', models.CharField(blank=True, help_text='what one is called: token, call, second', max_length=60)),
                    ('event_type', models.CharField(db_index=True, max_length=120)),
                    ('aggregation', models.CharField(choices=[('count', 'Count'), ('sum', 'Sum'), ('max', 'Max'), ('unique', 'Unique'), ('latest', 'Latest')], max_length=8)),
                    ('property', models.CharField(blank=True, help_text='measured property; empty for count', max_length=120)),
                    ('expression', models.CharField(blank=True, help_text='what is measured instead of a property: input_tokens - cached_tokens', max_length=500)),
                    ('filters', models.JSONField(blank=True, default=dict, help_text='property -> value or list of values it must have')),
                    ('dimensions', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=120), blank=True, default=list, size=None)),
                    ('created_at', models.DateTimeField()),
                    ('archived_at', models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('aggregation', 'count'), ('expression', ''), ('property', '')), models.Q(('aggregation', 'unique'), ('expression', ''), models.Q(('property', ''), _negated=True)), models.Q(('aggregation__in', ['sum', 'max', 'latest']), models.Q(('property', ''), ('expression', ''), _connector='XOR')), _connector='OR'), name='meter_property_goes_with_its_aggregation'), models.CheckConstraint(condition=models.Q(('code__regex', '^[A-Za-z0-9][A-Za-z0-9._:-]{0,119}$')), name='meter_code_is_printable')],
                },
            ),
            migrations.CreateModel(
                name='PlanAllowance',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('quantity', models.DecimalField(decimal_places=12, max_digits=30)),
                    ('roll_over', models.CharField(choices=[('none', 'None'), ('capped', 'Capped'), ('full', 'Full')], default='none', max_length=6)),
                    ('roll_over_cap', models.DecimalField(blank=True, decimal_places=12, max_digits=30, null=True)),
                    ('roll_over_periods', models.PositiveSmallIntegerField(blank=True, help_text='units go on for at most so many', null=True)),
                    ('on_exhaustion', models.CharField(choices=[('block', 'Block'), ('overage', 'Overage')], default='overage', max_length=7)),
                    ('meter', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='pricing.meter')),
                    ('plan', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='allowances', to='pricing.plan')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('plan', 'meter'), name='allowance_once_per_plan_and_meter'), models.CheckConstraint(condition=models.Q(('quantity__gt', 0)), name='allowance_quantity_positive'), models.CheckConstraint(condition=models.Q(models.Q(('roll_over', 'capped'), ('roll_over_cap__gte', 0), ('roll_over_cap__isnull', False)), models.Q(('roll_over__in', ['none', 'full']), ('roll_over_cap__isnull', True)), _connector='OR'), name='allowance_cap_goes_with_capped'), models.CheckConstraint(condition=models.Q(('roll_over_periods__isnull', True), models.Q(('roll_over_periods__gte', 1), models.Q(('roll_over', 'none'), _negated=True)), _connector='OR'), name='allowance_periods_go_with_roll_over'), models.CheckConstraint(condition=models.Q(('on_exhaustion__in', ['block', 'overage'])), name='allowance_on_exhaustion_is_known')],
                },
            ),
            migrations.CreateModel(
                name='Price',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('currency', models.CharField(max_length=16)),
                    ('match', models.JSONField(blank=True, default=dict, help_text='property -> value; empty: every event of the meter')),
                    ('schedule', models.JSONField(blank=True, default=dict, help_text='time zone and windows; empty: always')),
                    ('model', models.CharField(choices=[('per_unit', 'Per Unit'), ('package', 'Package'), ('graduated', 'Graduated'), ('volume', 'Volume'), ('stairstep', 'Stairstep'), ('percentage', 'Percentage'), ('graduated_percentage', 'Graduated Percentage'), ('dynamic', 'Dynamic')], default='per_unit', max_length=20)),
                    ('unit_price', models.DecimalField(decimal_places=12, default=Decimal('0'), max_digits=30)),
                    ('unit_cost', models.DecimalField(decimal_places=12, default=Decimal('0'), help_text='what one unit costs us', max_digits=30)),
                    ('minimum_charge', models.DecimalField(blank=True, decimal_places=12, help_text='per event', max_digits=30, null=True)),
                    ('free_units', models.DecimalField(decimal_places=12, default=Decimal('0'), help_text='the first of a period; no tier or package counts them', max_digits=30)),
                    ('package_size', models.DecimalField(blank=True, decimal_places=12, max_digits=30, null=True)),
                    ('package_price', models.DecimalField(blank=True, decimal_places=12, max_digits=30, null=True)),
                    ('tiers', models.JSONField(blank=True, default=list, help_text='in order: up_to (null in the last), unit_price or rate, flat_price; decimal strings')),
                    ('percentage', models.JSONField(blank=True, help_text='rate, fixed, free_amount, minimum, maximum as decimal strings; free_events', null=True)),
                    ('price_property', models.CharField(blank=True, help_text='where an event carries its own price', max_length=120)),
                    ('is_override', models.BooleanField(default=False, help_text='negotiated for itself')),
                    ('continues', models.ForeignKey(blank=True, help_text='the first price with these terms: its running totals go on in this one', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='continued_by', to='pricing.price')),
                    ('derived_from', models.ForeignKey(blank=True, help_text='the list price it is made of', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='derived', to='pricing.price')),
                    ('meter', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='prices', to='pricing.meter')),
                    ('version', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='prices', to='pricing.priceversion')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(models.F('version'), models.F('meter'), models.F('currency'), django.db.models.functions.text.MD5(django.db.models.functions.comparison.Cast('match', models.TextField())), django.db.models.functions.text.MD5(django.db.models.functions.comparison.Cast('schedule', models.TextField())), name='price_once_per_meter_currency_match_and_schedule'), models.CheckConstraint(condition=models.Q(('currency', ''), _negated=True), name='price_currency_is_named'), models.CheckConstraint(condition=models.Q(('unit_price__gte', 0)), name='price_unit_price_not_negative'), models.CheckConstraint(condition=models.Q(('unit_cost__gte', 0)), name='price_unit_cost_not_negative'), models.CheckConstraint(condition=models.Q(('minimum_charge__isnull', True), ('minimum_charge__gte', 0), _connector='OR'), name='price_minimum_charge_not_negative'), models.CheckConstraint(condition=models.Q(('model__in', ['per_unit', 'package', 'graduated', 'volume', 'stairstep', 'graduated_percentage', 'percentage', 'dynamic'])), name='price_model_is_known'), models.CheckConstraint(condition=models.Q(('model', 'per_unit'), ('unit_price', 0), _connector='OR'), name='price_unit_price_goes_with_its_model'), models.CheckConstraint(condition=models.Q(('free_units', 0), models.Q(('free_units__gt', 0), models.Q(('model__in', ['percentage', 'dynamic']), _negated=True)), _connector='OR'), name='price_free_units_go_with_its_model'), models.CheckConstraint(condition=models.Q(models.Q(('model', 'package'), ('package_price__isnull', False), ('package_size__isnull', False), ('package_price__gte', 0), ('package_size__gt', 0)), models.Q(models.Q(('model', 'package'), _negated=True), ('package_price__isnull', True), ('package_size__isnull', True)), _connector='OR'), name='price_package_goes_with_its_model'), models.CheckConstraint(condition=models.Q(models.Q(('model__in', ['graduated', 'volume', 'stairstep', 'graduated_percentage']), models.Q(('tiers', []), _negated=True)), models.Q(models.Q(('model__in', ['graduated', 'volume', 'stairstep', 'graduated_percentage']), _negated=True), ('tiers', [])), _connector='OR'), name='price_tiers_go_with_its_model'), models.CheckConstraint(condition=models.Q(models.Q(('model', 'percentage'), ('percentage__isnull', False)), models.Q(models.Q(('model', 'percentage'), _negated=True), ('percentage__isnull', True)), _connector='OR'), name='price_percentage_goes_with_its_model'), models.CheckConstraint(condition=models.Q(models.Q(('model', 'dynamic'), models.Q(('price_property', ''), _negated=True)), models.Q(models.Q(('model', 'dynamic'), _negated=True), ('price_property', '')), _connector='OR'), name='price_property_goes_with_its_model')],
                },
            ),
            migrations.CreateModel(
                name='PriceBook',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('public_id', models.CharField(default=wallets.ids.new_price_book_id, max_length=32, unique=True)),
                    ('name', models.CharField(max_length=200, unique=True)),
                    ('currency', models.CharField(max_length=16)),
                    ('is_default', models.BooleanField(default=False, help_text='used by accounts without a book of their own')),
                    ('created_at', models.DateTimeField()),
                    ('account', models.ForeignKey(blank=True, help_text='whose it is alone', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='negotiated_books', to='wallets.account')),
                    ('base', models.ForeignKey(blank=True, help_text='the list prices it is made of', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='negotiated', to='pricing.pricebook')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(condition=models.Q(('is_default', True)), fields=('is_default',), name='price_book_one_default'), models.UniqueConstraint(condition=models.Q(('base__isnull', False)), fields=('account', 'base'), name='price_book_negotiated_once_per_account'), models.CheckConstraint(condition=models.Q(models.Q(('account__isnull', True), ('base__isnull', True)), models.Q(('account__isnull', False), ('base__isnull', False), ('is_default', False)), _connector='OR'), name='price_book_negotiated_has_its_base')],
                },
            ),
            migrations.CreateModel(
                name='Assignment',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('effective_at', models.DateTimeField()),
                    ('created_at', models.DateTimeField()),
                    ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='price_book_assignments', to='wallets.account')),
                    ('book', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='assignments', to='pricing.pricebook')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('account', 'effective_at'), name='assignment_one_per_account_and_time')],
                },
            ),
            migrations.CreateModel(
                name='PriceCounter',
                fields=[
                    ('id', models.BigIntegerField(primary_key=True, serialize=False)),
                    ('bucket', models.SmallIntegerField()),
                    ('period_start', models.DateTimeField()),
                    ('quantity', models.DecimalField(decimal_places=12, default=Decimal('0'), max_digits=30)),
                    ('measured', models.DecimalField(decimal_places=12, default=Decimal('0'), max_digits=30)),
                    ('events', models.BigIntegerField(default=0)),
                    ('places', models.BigIntegerField(default=0)),
                    ('latest_at', models.DateTimeField(help_text='latest: time of the event that says where the meter stands', null=True)),
                    ('drew_event', models.BigIntegerField(help_text='row id of the event whose charge drew last and stands', null=True)),
                    ('drew_line', models.SmallIntegerField(help_text='which charge of that event', null=True)),
                    ('price', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='pricing.price')),
                    ('wallet', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallets.wallet')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('bucket', 'wallet', 'price', 'period_start'), name='counter_once_per_wallet_price_and_period'), models.CheckConstraint(condition=models.Q(('quantity__gte', 0)), name='counter_quantity_not_negative'), models.CheckConstraint(condition=models.Q(('measured__gte', 0)), name='counter_measured_not_negative'), models.CheckConstraint(condition=models.Q(('events__gte', 0), ('places__gte', 0)), name='counter_numbers_not_negative')],
                },
            ),
            migrations.CreateModel(
                name='CounterMember',
                fields=[
                    ('pk', models.CompositePrimaryKey('counter_id', 'value', blank=True, editable=False, primary_key=True, serialize=False)),
                    ('bucket', models.SmallIntegerField()),
                    ('value', models.BinaryField(help_text="SHA-256 of the value's text", max_length=32)),
                    ('events', models.BigIntegerField()),
                    ('counter', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='members', to='pricing.pricecounter')),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('events__gte', 0)), name='counter_member_events_not_negative')],
                },
            ),
            migrations.CreateModel(
                name='PriceVersion',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('public_id', models.CharField(default=wallets.ids.new_price_version_id, max_length=32, unique=True)),
                    ('number', models.PositiveIntegerField()),
                    ('status', models.CharField(choices=[('DRAFT', 'Draft'), ('PUBLISHED', 'Published')], default='DRAFT', max_length=9)),
                    ('effective_at', models.DateTimeField(blank=True, null=True)),
                    ('published_at', models.DateTimeField(blank=True, null=True)),
                    ('note', models.CharField(blank=True, max_length=500)),
                    ('percent_off', models.DecimalField(decimal_places=12, default=Decimal('0'), help_text="of the base's prices", max_digits=30)),
                    ('created_at', models.DateTimeField()),
                    ('book', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='pricing.pricebook')),
                    ('derived_from', models.ForeignKey(blank=True, help_text="the base's version it is made of", null=True, on_delete=django.db.models.deletion.PROTECT, related_name='derived', to='pricing.priceversion')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('book', 'number'), name='version_number_once_per_book'), models.CheckConstraint(condition=models.Q(('percent_off__gte', 0), ('percent_off__lte', 100)), name='version_percent_off_is_a_percentage'), models.CheckConstraint(condition=models.Q(('status', 'DRAFT'), models.Q(('effective_at__isnull', False), ('published_at__isnull', False), ('status', 'PUBLISHED')), _connector='OR'), name='version_published_has_its_times')],
                },
            ),
            migrations.CreateModel(
                name='SignUpCredit',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('guard', models.CharField(max_length=320, unique=True)),
                    ('at', models.DateTimeField()),
                    ('account', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='sign_up_credit', to='wallets.account')),
                    ('lot', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallets.creditlot')),
                ],
            ),
            migrations.CreateModel(
                name='Subscription',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('public_id', models.CharField(default=pricing.plans.models.new_subscription_id, max_length=32, unique=True)),
                    ('plan_code', models.CharField(max_length=60)),
                    ('state', models.CharField(choices=[('TRIALING', 'Trialing'), ('ACTIVE', 'Active'), ('PAST_DUE', 'Past Due'), ('PAUSED', 'Paused'), ('CANCELLED', 'Cancelled')], max_length=9)),
                    ('pay_by', models.CharField(choices=[('wallet', 'Wallet'), ('card', 'Card')], default='wallet', max_length=6)),
                    ('time_zone', models.CharField(max_length=64)),
                    ('anchor_at', models.DateTimeField()),
                    ('months_begun', models.PositiveIntegerField(default=0)),
                    ('period_index', models.PositiveIntegerField()),
                    ('period_start', models.DateTimeField()),
                    ('period_end', models.DateTimeField()),
                    ('cancel_at_period_end', models.BooleanField(default=False)),
                    ('next_due_at', models.DateTimeField(blank=True, help_text='when the sweep has something to do', null=True)),
                    ('prepared', models.BooleanField(default=False, help_text='the units of the next period wait for its start')),
                    ('attempts', models.PositiveSmallIntegerField(default=0, help_text='at collecting the fee that is due')),
                    ('tried_at', models.DateTimeField(blank=True, help_text='when the fee that is due was last not paid', null=True)),
                    ('past_due_since', models.DateTimeField(blank=True, null=True)),
                    ('created_at', models.DateTimeField()),
                    ('ended_at', models.DateTimeField(blank=True, null=True)),
                    ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='subscriptions', to='wallets.account')),
                    ('book_before', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='pricing.pricebook')),
                    ('next_plan', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='pricing.plan')),
                    ('plan', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='subscriptions', to='pricing.plan')),
                    ('wallet', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='subscriptions', to='wallets.wallet')),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('next_due_at__isnull', False)), fields=['next_due_at'], name='subscription_due')],
                    'constraints': [models.UniqueConstraint(condition=models.Q(('state__in', ('TRIALING', 'ACTIVE', 'PAST_DUE', 'PAUSED'))), fields=('account', 'plan_code'), name='subscription_one_live_per_account_and_plan'), models.CheckConstraint(condition=models.Q(('state__in', ('TRIALING', 'ACTIVE', 'PAST_DUE', 'PAUSED', 'CANCELLED'))), name='subscription_state_is_known'), models.CheckConstraint(condition=models.Q(('pay_by__in', ['wallet', 'card'])), name='subscription_pay_by_is_known'), models.CheckConstraint(condition=models.Q(('period_end__gt', models.F('period_start'))), name='subscription_period_has_a_length'), models.CheckConstraint(condition=models.Q(models.Q(('next_due_at__isnull', True), ('state__in', ['PAUSED', 'CANCELLED'])), models.Q(models.Q(('state__in', ['PAUSED', 'CANCELLED']), _negated=True), ('next_due_at__isnull', False)), _connector='OR'), name='subscription_due_exactly_while_it_runs'), models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', False), ('state', 'CANCELLED')), models.Q(models.Q(('state', 'CANCELLED'), _negated=True), ('ended_at__isnull', True)), _connector='OR'), name='subscription_ended_exactly_when_cancelled'), models.CheckConstraint(condition=models.Q(models.Q(('past_due_since__isnull', False), ('state', 'PAST_DUE')), models.Q(models.Q(('state', 'PAST_DUE'), _negated=True), ('past_due_since__isnull', True)), _connector='OR'), name='subscription_past_due_since_goes_with_its_state')],
                },
            ),
            migrations.CreateModel(
                name='PreparedAllowance',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('index', models.PositiveIntegerField()),
                    ('lot', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallets.creditlot')),
                    ('meter', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='pricing.meter')),
                    ('subscription', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='prepared_allowances', to='pricing.subscription')),
                ],
            ),
            migrations.CreateModel(
                name='SubscriptionChange',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('at', models.DateTimeField()),
                    ('what', models.CharField(max_length=300)),
                    ('before', models.CharField(blank=True, max_length=9)),
                    ('after', models.CharField(max_length=9)),
                    ('reason', models.CharField(blank=True, max_length=500)),
                    ('actor', models.CharField(blank=True, max_length=200)),
                    ('subscription', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='changes', to='pricing.subscription')),
                ],
            ),
            migrations.CreateModel(
                name='SubscriptionPeriod',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('index', models.PositiveIntegerField()),
                    ('starts_at', models.DateTimeField()),
                    ('ends_at', models.DateTimeField()),
                    ('begun_at', models.DateTimeField()),
                    ('subscription', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='periods', to='pricing.subscription')),
                    ('trial_lot', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallets.creditlot')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('subscription', 'index'), name='period_once_per_subscription'), models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='period_has_a_length')],
                },
            ),
            migrations.CreateModel(
                name='PeriodFee',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('since', models.DateTimeField()),
                    ('amount', models.DecimalField(decimal_places=12, max_digits=30)),
                    ('entry_id', models.BigIntegerField(help_text='the journal entry; none for a fee of nothing', null=True)),
                    ('refunded', models.DecimalField(decimal_places=12, default=Decimal('0'), max_digits=30)),
                    ('plan', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='pricing.plan')),
                    ('period', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='fees', to='pricing.subscriptionperiod')),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('amount', 0), ('entry_id__isnull', True)), models.Q(('amount__gt', 0), ('entry_id__isnull', False)), _connector='OR'), name='fee_has_an_entry_unless_nothing'), models.CheckConstraint(condition=models.Q(('refunded__gte', 0), ('refunded__lte', models.F('amount'))), name='fee_refunded_at_most_once')],
                },
            ),
            migrations.CreateModel(
                name='PeriodAllowance',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('origin', models.PositiveIntegerField()),
                    ('quantity', models.DecimalField(decimal_places=12, max_digits=30)),
                    ('lot', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallets.creditlot')),
                    ('meter', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='pricing.meter')),
                    ('rolled_from', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallets.creditlot')),
                    ('period', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='allowances', to='pricing.subscriptionperiod')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('rolled_from',), name='allowance_rolls_over_once'), models.CheckConstraint(condition=models.Q(('quantity__gt', 0)), name='period_allowance_quantity_positive')],
                },
            ),
            migrations.CreateModel(
                name='VersionPin',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('public_id', models.CharField(default=wallets.ids.new_pin_id, max_length=32, unique=True)),
                    ('effective_at', models.DateTimeField()),
                    ('until', models.DateTimeField()),
                    ('reason', models.CharField(blank=True, max_length=500)),
                    ('actor', models.CharField(blank=True, max_length=254)),
                    ('created_at', models.DateTimeField()),
                    ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='version_pins', to='wallets.account')),
                    ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='pins', to='pricing.priceversion')),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('until__gte', models.F('effective_at'))), name='pin_ends_after_it_begins'), django.contrib.postgres.constraints.ExclusionConstraint(expressions=[(models.Func(models.F('account'), models.F('account'), models.Value('[]'), function='int8range'), '&&'), (models.Func(models.F('effective_at'), models.F('until'), function='tstzrange', output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField()), '&&')], name='pins_of_an_account_do_not_overlap')],
                },
            ),
            migrations.CreateModel(
                name='VoucherBatch',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('public_id', models.CharField(default=pricing.credit_products.models.new_batch_id, max_length=32, unique=True)),
                    ('name', models.CharField(max_length=200)),
                    ('currency', models.CharField(max_length=16)),
                    ('amount', models.DecimalField(decimal_places=12, max_digits=30)),
                    ('kind', models.CharField(choices=[('promotional', 'Promotional'), ('trial', 'Trial'), ('compensation', 'Compensation')], default='promotional', max_length=12)),
                    ('validity_days', models.PositiveIntegerField(blank=True, help_text='of the credit, from its redemption', null=True)),
                    ('meters', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=120), blank=True, default=list, help_text='meter codes; empty: all', size=None)),
                    ('priority', models.SmallIntegerField(default=50)),
                    ('redeem_from', models.DateTimeField()),
                    ('redeem_until', models.DateTimeField(blank=True, null=True)),
                    ('per_account', models.PositiveIntegerField(default=1, help_text='how often one account may redeem from this batch')),
                    ('created_at', models.DateTimeField()),
                    ('actor', models.CharField(blank=True, max_length=200)),
                    ('stopped_at', models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    'verbose_name_plural': 'voucher batches',
                    'constraints': [models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='voucher_amount_positive'), models.CheckConstraint(condition=models.Q(('per_account__gte', 1)), name='voucher_per_account_at_least_once'), models.CheckConstraint(condition=models.Q(('kind__in', ['promotional', 'trial', 'compensation'])), name='voucher_kind_is_given_not_sold'), models.CheckConstraint(condition=models.Q(('redeem_until__isnull', True), ('redeem_until__gt', models.F('redeem_from')), _connector='OR'), name='voucher_ends_after_it_starts')],
                },
            ),
            migrations.CreateModel(
                name='VoucherCode',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('code_hash', models.BinaryField(max_length=32, unique=True)),
                    ('hint', models.CharField(max_length=8)),
                    ('uses', models.PositiveIntegerField(default=1)),
                    ('used', models.PositiveIntegerField(default=0)),
                    ('batch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='codes', to='pricing.voucherbatch')),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('used__lte', models.F('uses'))), name='voucher_used_at_most'), models.CheckConstraint(condition=models.Q(('uses__gte', 1)), name='voucher_uses_at_least_once')],
                },
            ),
            migrations.CreateModel(
                name='VoucherAttempt',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('outcome', models.CharField(blank=True, max_length=40)),
                    ('actor', models.CharField(blank=True, max_length=200)),
                    ('at', models.DateTimeField()),
                    ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='voucher_attempts', to='wallets.account')),
                    ('code', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='attempts', to='pricing.vouchercode')),
                ],
                options={
                    'indexes': [models.Index(fields=['account', 'at'], name='voucher_attempt_of_account')],
                },
            ),
            migrations.CreateModel(
                name='VoucherRedemption',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('number', models.PositiveIntegerField()),
                    ('at', models.DateTimeField()),
                    ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='redemptions', to='wallets.account')),
                    ('batch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='redemptions', to='pricing.voucherbatch')),
                    ('code', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='redemptions', to='pricing.vouchercode')),
                    ('lot', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallets.creditlot')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('batch', 'account', 'number'), name='redemption_number_once')],
                },
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='creditproduct',
                trigger=pgtrigger.compiler.Trigger(name='product_is_never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='c7c80335f4f078ff03b770a45e0764314c6312a1', operation='DELETE', pgid='pgtrigger_product_is_never_deleted_ab220', table='pricing_creditproduct', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='creditproduct',
                trigger=pgtrigger.compiler.Trigger(name='product_terms_stay', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."code" IS DISTINCT FROM (NEW."code") OR OLD."currency" IS DISTINCT FROM (NEW."currency") OR OLD."price_currency" IS DISTINCT FROM (NEW."price_currency") OR OLD."amount" IS DISTINCT FROM (NEW."amount") OR OLD."price" IS DISTINCT FROM (NEW."price") OR OLD."bonus" IS DISTINCT FROM (NEW."bonus") OR OLD."least" IS DISTINCT FROM (NEW."least") OR OLD."most" IS DISTINCT FROM (NEW."most") OR OLD."validity_days" IS DISTINCT FROM (NEW."validity_days") OR OLD."meters" IS DISTINCT FROM (NEW."meters") OR OLD."priority" IS DISTINCT FROM (NEW."priority"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='f2bb37109116e3895723554459fc24e0e58c3049', operation='UPDATE', pgid='pgtrigger_product_terms_stay_2f16a', table='pricing_creditproduct', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='creditunitrate',
                trigger=pgtrigger.compiler.Trigger(name='unit_rate_is_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='f3053ba2351e43ae2e4153e851aec15ad803055f', operation='UPDATE OR DELETE', pgid='pgtrigger_unit_rate_is_append_only_10bf8', table='pricing_creditunitrate', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='creditunitrate',
                trigger=pgtrigger.compiler.Trigger(name='unit_rate_is_not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;", hash='96e79e31370d9e9aeeeccbf4f1914ce223d20b1c', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_unit_rate_is_not_truncated_b61ad', table='pricing_creditunitrate', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='meter',
                trigger=pgtrigger.compiler.Trigger(name='meter_is_never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='5d2efb055d6ce368ccac174c636fe7f11dc347a8', operation='DELETE', pgid='pgtrigger_meter_is_never_deleted_d2faf', table='pricing_meter', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='meter',
                trigger=pgtrigger.compiler.Trigger(name='meter_measure_stays', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."code" IS DISTINCT FROM (NEW."code") OR OLD."event_type" IS DISTINCT FROM (NEW."event_type") OR OLD."aggregation" IS DISTINCT FROM (NEW."aggregation") OR OLD."property" IS DISTINCT FROM (NEW."property") OR OLD."expression" IS DISTINCT FROM (NEW."expression") OR OLD."filters" IS DISTINCT FROM (NEW."filters") OR OLD."dimensions" IS DISTINCT FROM (NEW."dimensions"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='e97ae22f0d35b0056296f8f29a7f10c2c75c7035', operation='UPDATE', pgid='pgtrigger_meter_measure_stays_524f2', table='pricing_meter', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='meter',
                trigger=pgtrigger.compiler.Trigger(name='renew_catalogue_token', sql=pgtrigger.compiler.UpsertTriggerSql(func='\n            INSERT INTO pricing_cataloguetoken (id, token) VALUES (1, gen_random_uuid())\n                ON CONFLICT (id) DO UPDATE SET token = EXCLUDED.token;\n            RETURN NULL;\n        ', hash='d366d3fbf12686767ff85102e56912681d4c856e', level='STATEMENT', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_renew_catalogue_token_90047', table='pricing_meter', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='voucherbatch',
                trigger=pgtrigger.compiler.Trigger(name='voucher_batch_is_never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='2e3be94c043fdd5cdceda1aed2e0b01791ef79b4', operation='DELETE', pgid='pgtrigger_voucher_batch_is_never_deleted_1bf60', table='pricing_voucherbatch', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='voucherbatch',
                trigger=pgtrigger.compiler.Trigger(name='voucher_terms_stay', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."currency" IS DISTINCT FROM (NEW."currency") OR OLD."amount" IS DISTINCT FROM (NEW."amount") OR OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."validity_days" IS DISTINCT FROM (NEW."validity_days") OR OLD."meters" IS DISTINCT FROM (NEW."meters") OR OLD."priority" IS DISTINCT FROM (NEW."priority") OR OLD."redeem_from" IS DISTINCT FROM (NEW."redeem_from") OR OLD."per_account" IS DISTINCT FROM (NEW."per_account"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='3d2fbc01ef7df7a5d255d2a5580bfa63a4c88cb3', operation='UPDATE', pgid='pgtrigger_voucher_terms_stay_ccf20', table='pricing_voucherbatch', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='commitment',
                trigger=pgtrigger.compiler.Trigger(name='commitment_is_never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='ed6f0324652761c6e5f49cf554845254657b45ef', operation='DELETE', pgid='pgtrigger_commitment_is_never_deleted_5482f', table='pricing_commitment', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='commitment',
                trigger=pgtrigger.compiler.Trigger(name='commitment_terms_stay', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."account_id" IS DISTINCT FROM (NEW."account_id") OR OLD."wallet_id" IS DISTINCT FROM (NEW."wallet_id") OR OLD."amount" IS DISTINCT FROM (NEW."amount") OR OLD."interval" IS DISTINCT FROM (NEW."interval") OR OLD."discount_percent" IS DISTINCT FROM (NEW."discount_percent") OR OLD."meters" IS DISTINCT FROM (NEW."meters") OR OLD."time_zone" IS DISTINCT FROM (NEW."time_zone") OR OLD."starts_at" IS DISTINCT FROM (NEW."starts_at") OR OLD."ends_at" IS DISTINCT FROM (NEW."ends_at") OR OLD."periods" IS DISTINCT FROM (NEW."periods"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='1be8ed96a138160f44ede03ced7654b92fd5ccd0', operation='UPDATE', pgid='pgtrigger_commitment_terms_stay_6232c', table='pricing_commitment', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='commitmentperiod',
                trigger=pgtrigger.compiler.Trigger(name='commitment_period_is_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='9fda15a11112f9987e9bdd819d06e246617e6fc7', operation='UPDATE OR DELETE', pgid='pgtrigger_commitment_period_is_append_only_760dd', table='pricing_commitmentperiod', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='commitmentperiod',
                trigger=pgtrigger.compiler.Trigger(name='commitment_period_is_not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;", hash='e628bde798f5a8a509ea61bc6e8f41d8415426a3', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_commitment_period_is_not_truncated_23024', table='pricing_commitmentperiod', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='bonusslab',
                trigger=pgtrigger.compiler.Trigger(name='slab_is_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='3d8149c1700acf27a025017f49f37cd2392c14b3', operation='UPDATE OR DELETE', pgid='pgtrigger_slab_is_append_only_b0fc7', table='pricing_bonusslab', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='bonusslab',
                trigger=pgtrigger.compiler.Trigger(name='slab_is_not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;", hash='12394413af9fbf5fee531003674734ffbcc7b8d6', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_slab_is_not_truncated_ccd7c', table='pricing_bonusslab', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='creditpurchase',
                trigger=pgtrigger.compiler.Trigger(name='purchase_is_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='cb71bfb7ee3d867a890e211932c3285dc0c970a2', operation='UPDATE OR DELETE', pgid='pgtrigger_purchase_is_append_only_7f8e4', table='pricing_creditpurchase', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='creditpurchase',
                trigger=pgtrigger.compiler.Trigger(name='purchase_is_not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;", hash='1bf42d8e719b25e0912cdf18f75bca5e978e9e56', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_purchase_is_not_truncated_93d7e', table='pricing_creditpurchase', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='planallowance',
                trigger=pgtrigger.compiler.Trigger(name='plan_allowance_is_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='717f10c22498fcf27941865a343d9c468c23bb5b', operation='UPDATE OR DELETE', pgid='pgtrigger_plan_allowance_is_append_only_90b94', table='pricing_planallowance', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='planallowance',
                trigger=pgtrigger.compiler.Trigger(name='plan_allowance_is_not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;", hash='44dc7250d7f1fe8f69138a1458826abd692a039e', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_plan_allowance_is_not_truncated_1d191', table='pricing_planallowance', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='planallowance',
                trigger=pgtrigger.compiler.Trigger(name='plan_with_subscribers_gets_no_allowance', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF EXISTS (SELECT 1 FROM pricing_subscription WHERE plan_id = NEW.plan_id) THEN\n                        RAISE EXCEPTION 'a plan with subscribers never changes' USING ERRCODE = 'check_violation';\n                    END IF;\n                    RETURN NEW;\n                ", hash='c2012e90c6a3b4dd5c7f78883779f3841dc4556d', operation='INSERT', pgid='pgtrigger_plan_with_subscribers_gets_no_allowance_488b7', table='pricing_planallowance', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='pricebook',
                trigger=pgtrigger.compiler.Trigger(name='price_book_currency_stays', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."currency" IS DISTINCT FROM (NEW."currency") OR OLD."account_id" IS DISTINCT FROM (NEW."account_id") OR OLD."base_id" IS DISTINCT FROM (NEW."base_id"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='76ef19d8a115e49c78a7673120870e1ca660ffc4', operation='UPDATE', pgid='pgtrigger_price_book_currency_stays_09e36', table='pricing_pricebook', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='pricebook',
                trigger=pgtrigger.compiler.Trigger(name='renew_catalogue_token', sql=pgtrigger.compiler.UpsertTriggerSql(func='\n            INSERT INTO pricing_cataloguetoken (id, token) VALUES (1, gen_random_uuid())\n                ON CONFLICT (id) DO UPDATE SET token = EXCLUDED.token;\n            RETURN NULL;\n        ', hash='79c4a9fd1e105a56095232dc065a63cd9a086433', level='STATEMENT', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_renew_catalogue_token_cb4b0', table='pricing_pricebook', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='plan',
                trigger=pgtrigger.compiler.Trigger(name='plan_is_never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='b8e2276675c22511859be3ef869adb72ccd18285', operation='DELETE', pgid='pgtrigger_plan_is_never_deleted_812c4', table='pricing_plan', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='plan',
                trigger=pgtrigger.compiler.Trigger(name='plan_terms_stay', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."code" IS DISTINCT FROM (NEW."code") OR OLD."version" IS DISTINCT FROM (NEW."version") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."currency" IS DISTINCT FROM (NEW."currency") OR OLD."fee" IS DISTINCT FROM (NEW."fee") OR OLD."interval" IS DISTINCT FROM (NEW."interval") OR OLD."price_book_id" IS DISTINCT FROM (NEW."price_book_id") OR OLD."trial_days" IS DISTINCT FROM (NEW."trial_days") OR OLD."trial_credit" IS DISTINCT FROM (NEW."trial_credit"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='39fcab178b0069984fbf73fde74be24362f15ae1', operation='UPDATE', pgid='pgtrigger_plan_terms_stay_2d810', table='pricing_plan', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='assignment',
                trigger=pgtrigger.compiler.Trigger(name='renew_catalogue_token', sql=pgtrigger.compiler.UpsertTriggerSql(func='\n            INSERT INTO pricing_cataloguetoken (id, token) VALUES (1, gen_random_uuid())\n                ON CONFLICT (id) DO UPDATE SET token = EXCLUDED.token;\n            RETURN NULL;\n        ', hash='7a5a737f8763aec421891c8812989e0c634859bf', level='STATEMENT', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_renew_catalogue_token_7be29', table='pricing_assignment', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='pricecounter',
                trigger=pgtrigger.compiler.Trigger(name='counter_is_never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='0143a31f6aee5922aa4ef55bd59ef72da7b55716', operation='DELETE', pgid='pgtrigger_counter_is_never_deleted_7dbc2', table='pricing_pricecounter', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='pricecounter',
                trigger=pgtrigger.compiler.Trigger(name='counter_key_stays', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."bucket" IS DISTINCT FROM (NEW."bucket") OR OLD."wallet_id" IS DISTINCT FROM (NEW."wallet_id") OR OLD."price_id" IS DISTINCT FROM (NEW."price_id") OR OLD."period_start" IS DISTINCT FROM (NEW."period_start"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='f3199125ba025db600f82bfe2e37700c1a2fa548', operation='UPDATE', pgid='pgtrigger_counter_key_stays_48d5e', table='pricing_pricecounter', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='priceversion',
                trigger=pgtrigger.compiler.Trigger(name='version_published_never_changes', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."status" = \'PUBLISHED\')', func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='07fca14a11169f64870eb30a9f49d625bf6ab1f8', operation='UPDATE OR DELETE', pgid='pgtrigger_version_published_never_changes_89994', table='pricing_priceversion', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='priceversion',
                trigger=pgtrigger.compiler.Trigger(name='renew_catalogue_token', sql=pgtrigger.compiler.UpsertTriggerSql(func='\n            INSERT INTO pricing_cataloguetoken (id, token) VALUES (1, gen_random_uuid())\n                ON CONFLICT (id) DO UPDATE SET token = EXCLUDED.token;\n            RETURN NULL;\n        ', hash='d6ce333896858ba640360eda2bc942a468104d02', level='STATEMENT', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_renew_catalogue_token_16658', table='pricing_priceversion', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='price',
                trigger=pgtrigger.compiler.Trigger(name='price_of_published_version_never_changes', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF EXISTS (\n                        SELECT 1 FROM pricing_priceversion\n                        WHERE id IN (COALESCE(NEW.version_id, OLD.version_id), COALESCE(OLD.version_id, NEW.version_id))\n                          AND status = 'PUBLISHED'\n                    ) THEN\n                        RAISE EXCEPTION 'prices of a published version never change' USING ERRCODE = 'check_violation';\n                    END IF;\n                    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;\n                    RETURN NEW;\n                ", hash='4bd45720fd65e3f1a58e0f3da0e9ae145b0efe64', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_price_of_published_version_never_changes_97105', table='pricing_price', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='price',
                trigger=pgtrigger.compiler.Trigger(name='price_continues_the_same_terms', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."continues_id" IS NOT NULL)', declare='DECLARE first pricing_price%ROWTYPE;', func="\n                    SELECT * INTO first FROM pricing_price WHERE id = NEW.continues_id;\n                    IF first.id IS NULL OR first.id = NEW.id OR first.continues_id IS NOT NULL\n                       OR ROW(first.meter_id, first.currency, first.model, first.unit_price, first.free_units, first.tiers,\n                              first.package_size, first.package_price, first.percentage, first.price_property,\n                              first.minimum_charge)\n                          IS DISTINCT FROM\n                          ROW(NEW.meter_id, NEW.currency, NEW.model, NEW.unit_price, NEW.free_units, NEW.tiers,\n                              NEW.package_size, NEW.package_price, NEW.percentage, NEW.price_property,\n                              NEW.minimum_charge)\n                    THEN\n                        RAISE EXCEPTION 'price % does not continue price %: that is the first with the same terms',\n                            NEW.id, NEW.continues_id USING ERRCODE = 'check_violation';\n                    END IF;\n                    RETURN NEW;\n                ", hash='fa05873f5332485536d6ac1a26e6218915e98341', operation='INSERT OR UPDATE', pgid='pgtrigger_price_continues_the_same_terms_0c463', table='pricing_price', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='signupcredit',
                trigger=pgtrigger.compiler.Trigger(name='sign_up_credit_is_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='9ae5e37551eba1a64c45c9a4ad39d59948a22c3f', operation='UPDATE OR DELETE', pgid='pgtrigger_sign_up_credit_is_append_only_3eafe', table='pricing_signupcredit', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='signupcredit',
                trigger=pgtrigger.compiler.Trigger(name='sign_up_credit_is_not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;", hash='9a08216f4707af91311bde375cfde25465346122', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_sign_up_credit_is_not_truncated_e0a0e', table='pricing_signupcredit', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='subscription',
                trigger=pgtrigger.compiler.Trigger(name='subscription_is_never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='451fe48c96d980c0a2a4a498ecad7e2cb88940e1', operation='DELETE', pgid='pgtrigger_subscription_is_never_deleted_b7891', table='pricing_subscription', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='subscription',
                trigger=pgtrigger.compiler.Trigger(name='subscription_wallet_stays', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."public_id" IS DISTINCT FROM (NEW."public_id") OR OLD."account_id" IS DISTINCT FROM (NEW."account_id") OR OLD."wallet_id" IS DISTINCT FROM (NEW."wallet_id") OR OLD."time_zone" IS DISTINCT FROM (NEW."time_zone"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='afdefb36584ea0640bcd749e0e4eb30c16b4f190', operation='UPDATE', pgid='pgtrigger_subscription_wallet_stays_af45f', table='pricing_subscription', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='subscription',
                trigger=pgtrigger.compiler.Trigger(name='subscription_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{TRIALING:ACTIVE,TRIALING:PAST_DUE,TRIALING:CANCELLED,ACTIVE:PAST_DUE,ACTIVE:PAUSED,ACTIVE:CANCELLED,PAST_DUE:ACTIVE,PAST_DUE:CANCELLED,PAUSED:ACTIVE,PAUSED:CANCELLED}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='9ea6af3cd40c1d7ac62f1e570e18376791ca1121', operation='UPDATE', pgid='pgtrigger_subscription_moves_be97d', table='pricing_subscription', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='preparedallowance',
                trigger=pgtrigger.compiler.Trigger(name='prepared_allowance_is_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='050eee18a5d77569fa30ec44671d6153047c27c9', operation='UPDATE OR DELETE', pgid='pgtrigger_prepared_allowance_is_append_only_d44ee', table='pricing_preparedallowance', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='preparedallowance',
                trigger=pgtrigger.compiler.Trigger(name='prepared_allowance_is_not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;", hash='3e7f2d8c03a521afeaa38f3611efbd3c2319ae7e', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_prepared_allowance_is_not_truncated_daaaa', table='pricing_preparedallowance', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='subscriptionchange',
                trigger=pgtrigger.compiler.Trigger(name='subscription_change_is_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='fa28c97312386a66a4bff223a008cba7925e6938', operation='UPDATE OR DELETE', pgid='pgtrigger_subscription_change_is_append_only_8b157', table='pricing_subscriptionchange', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='subscriptionchange',
                trigger=pgtrigger.compiler.Trigger(name='subscription_change_is_not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;", hash='036e64c8cde5eceb91747507e58d08b56c61a004', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_subscription_change_is_not_truncated_c9571', table='pricing_subscriptionchange', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='subscriptionperiod',
                trigger=pgtrigger.compiler.Trigger(name='period_is_never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='b0887eb4183fe27fc63eb81effe2186f124f5d47', operation='DELETE', pgid='pgtrigger_period_is_never_deleted_1b04c', table='pricing_subscriptionperiod', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='subscriptionperiod',
                trigger=pgtrigger.compiler.Trigger(name='period_start_stays', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."subscription_id" IS DISTINCT FROM (NEW."subscription_id") OR OLD."index" IS DISTINCT FROM (NEW."index") OR OLD."starts_at" IS DISTINCT FROM (NEW."starts_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='6b8272c7dcdb1eca2b0a1f11ad7a96f8e92ea1b7', operation='UPDATE', pgid='pgtrigger_period_start_stays_c2507', table='pricing_subscriptionperiod', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='periodfee',
                trigger=pgtrigger.compiler.Trigger(name='period_fee_is_never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='e7aef22835356744cce41c07e6b24e277e672122', operation='DELETE', pgid='pgtrigger_period_fee_is_never_deleted_b0bb8', table='pricing_periodfee', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='periodfee',
                trigger=pgtrigger.compiler.Trigger(name='period_fee_stays', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."period_id" IS DISTINCT FROM (NEW."period_id") OR OLD."plan_id" IS DISTINCT FROM (NEW."plan_id") OR OLD."since" IS DISTINCT FROM (NEW."since") OR OLD."amount" IS DISTINCT FROM (NEW."amount") OR OLD."entry_id" IS DISTINCT FROM (NEW."entry_id"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='04e0830bf296e4fecdbe4a36fd418e9b1b791935', operation='UPDATE', pgid='pgtrigger_period_fee_stays_6d96d', table='pricing_periodfee', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='periodallowance',
                trigger=pgtrigger.compiler.Trigger(name='period_allowance_is_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='b3ead88dee43fbd50ab09c7bae290092909219dc', operation='UPDATE OR DELETE', pgid='pgtrigger_period_allowance_is_append_only_2956d', table='pricing_periodallowance', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='periodallowance',
                trigger=pgtrigger.compiler.Trigger(name='period_allowance_is_not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;", hash='b9e2dec25a823f7ac521c4dfb858c3ea5782e454', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_period_allowance_is_not_truncated_213c4', table='pricing_periodallowance', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='versionpin',
                trigger=pgtrigger.compiler.Trigger(name='pin_is_never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='3689703436e472b491139a5ea5a52efc448a17ca', operation='DELETE', pgid='pgtrigger_pin_is_never_deleted_7099a', table='pricing_versionpin', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='versionpin',
                trigger=pgtrigger.compiler.Trigger(name='pin_stays_but_for_its_end', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."account_id" IS DISTINCT FROM (NEW."account_id") OR OLD."version_id" IS DISTINCT FROM (NEW."version_id") OR OLD."effective_at" IS DISTINCT FROM (NEW."effective_at") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='f849ea04d0be5136a46db9d87774e212c7b3def7', operation='UPDATE', pgid='pgtrigger_pin_stays_but_for_its_end_62297', table='pricing_versionpin', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='versionpin',
                trigger=pgtrigger.compiler.Trigger(name='renew_catalogue_token', sql=pgtrigger.compiler.UpsertTriggerSql(func='\n            INSERT INTO pricing_cataloguetoken (id, token) VALUES (1, gen_random_uuid())\n                ON CONFLICT (id) DO UPDATE SET token = EXCLUDED.token;\n            RETURN NULL;\n        ', hash='6c12dd830d01958d382844faef4e5f09ec5fcd0f', level='STATEMENT', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_renew_catalogue_token_df4f6', table='pricing_versionpin', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='vouchercode',
                trigger=pgtrigger.compiler.Trigger(name='voucher_code_is_never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='6bc5dcccad8b4bccd9f7dab16262cac775208c04', operation='DELETE', pgid='pgtrigger_voucher_code_is_never_deleted_63f23', table='pricing_vouchercode', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='vouchercode',
                trigger=pgtrigger.compiler.Trigger(name='voucher_code_stays', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."batch_id" IS DISTINCT FROM (NEW."batch_id") OR OLD."code_hash" IS DISTINCT FROM (NEW."code_hash") OR OLD."hint" IS DISTINCT FROM (NEW."hint") OR OLD."uses" IS DISTINCT FROM (NEW."uses"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='1575c3d367f24206ae43d1e0060566bd96aa6a65', operation='UPDATE', pgid='pgtrigger_voucher_code_stays_98b1c', table='pricing_vouchercode', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='voucherattempt',
                trigger=pgtrigger.compiler.Trigger(name='voucher_attempt_is_never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='6f6cff17a9d946de4284bca62210130827d71578', operation='DELETE', pgid='pgtrigger_voucher_attempt_is_never_deleted_7dbf5', table='pricing_voucherattempt', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='voucherattempt',
                trigger=pgtrigger.compiler.Trigger(name='voucher_attempt_is_told_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (OLD."outcome" = \'\'))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='cb8b8fbc6bbcc04209a7ba57d2d22a217ad5fb99', operation='UPDATE', pgid='pgtrigger_voucher_attempt_is_told_once_ea813', table='pricing_voucherattempt', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='voucherattempt',
                trigger=pgtrigger.compiler.Trigger(name='voucher_attempt_stays', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."account_id" IS DISTINCT FROM (NEW."account_id") OR OLD."actor" IS DISTINCT FROM (NEW."actor") OR OLD."at" IS DISTINCT FROM (NEW."at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='7e1d813b39c09b313ee00aafa512f95947406d40', operation='UPDATE', pgid='pgtrigger_voucher_attempt_stays_6166b', table='pricing_voucherattempt', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='voucherredemption',
                trigger=pgtrigger.compiler.Trigger(name='redemption_is_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='02178df75720341f2d129040e7c3124e9130f711', operation='UPDATE OR DELETE', pgid='pgtrigger_redemption_is_append_only_ac16e', table='pricing_voucherredemption', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='voucherredemption',
                trigger=pgtrigger.compiler.Trigger(name='redemption_is_not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;", hash='debf3421a4306e0c1fd288debc4417f9731debf7', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_redemption_is_not_truncated_5ecff', table='pricing_voucherredemption', when='BEFORE')),
            ),
        ]),
        migrations.RunSQL("CREATE SEQUENCE pricing_counter_blocks", "DROP SEQUENCE pricing_counter_blocks"),
        migrations.RunSQL("ALTER TABLE pricing_pricecounter SET (fillfactor = 70)", migrations.RunSQL.noop),
        migrations.RunSQL("ALTER TABLE pricing_countermember SET (fillfactor = 80)", migrations.RunSQL.noop),
    ]
