"""The tables as the migrations this replaces leave them, made at once. A database that ran those counts this as run."""

import django.contrib.postgres.fields
import django.db.models.deletion
import notifications.alerts.models
import notifications.channels.webhook.models
from django.db import migrations, models

from wallets.migrations._at_once import AtOnce


class Migration(migrations.Migration):

    replaces = [
        ('notifications', '0001_webhook_endpoints'),
        ('notifications', '0002_alerts_and_deliveries'),
        ('notifications', '0003_alerts_held_back'),
        ('notifications', '0004_paces_watched'),
        ('notifications', '0005_sealed_secrets'),
        ('notifications', '0006_rules_at_thresholds'),
        ('notifications', '0007_digests'),
        ('notifications', '0008_uncertain_mails'),
        ('notifications', '0009_told_roles'),
    ]

    initial = True

    dependencies = [
        ('wallets', '0001_squashed_0033_notes_and_search'),
    ]

    operations = [
        AtOnce([
            migrations.CreateModel(
                name='Alert',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('public_id', models.CharField(default=notifications.alerts.models.new_alert_id, max_length=32, unique=True)),
                    ('topic', models.CharField(max_length=64)),
                    ('key', models.CharField(max_length=200)),
                    ('audience', models.CharField(choices=[('customer', 'Customer'), ('finance', 'Finance')], default='customer', max_length=8)),
                    ('severity', models.CharField(default='info', max_length=8)),
                    ('mandatory', models.BooleanField(default=False)),
                    ('facts', models.JSONField(default=dict)),
                    ('raised_at', models.DateTimeField()),
                    ('resolved_at', models.DateTimeField(blank=True, help_text='no longer so', null=True)),
                    ('dismissed_at', models.DateTimeField(blank=True, help_text='taken off the banner by somebody', null=True)),
                    ('account', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='alerts', to='wallets.account')),
                    ('wallet', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='alerts', to='wallets.wallet')),
                ],
                options={
                    'indexes': [models.Index(fields=['account', '-id'], name='alert_of_account')],
                    'constraints': [models.UniqueConstraint(fields=('key',), name='alert_key_is_told_once'), models.CheckConstraint(condition=models.Q(('audience__in', ['customer', 'finance'])), name='alert_audience_is_known'), models.CheckConstraint(condition=models.Q(('severity__in', ['info', 'warning', 'critical'])), name='alert_severity_is_known')],
                },
            ),
            migrations.CreateModel(
                name='Delivery',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('public_id', models.CharField(default=notifications.alerts.models.new_delivery_id, max_length=32, unique=True)),
                    ('channel', models.CharField(choices=[('email', 'Email'), ('webhook', 'Webhook'), ('slack', 'Slack')], max_length=8)),
                    ('address', models.CharField(help_text='where to, as it was when it was planned', max_length=500)),
                    ('state', models.CharField(choices=[('WAITING', 'Waiting'), ('SENDING', 'Sending'), ('SENT', 'Sent'), ('FAILED', 'Failed'), ('GIVEN_UP', 'Given Up'), ('SUPPRESSED', 'Suppressed'), ('UNCERTAIN', 'Uncertain'), ('GATHERING', 'Gathering'), ('GATHERED', 'Gathered')], default='WAITING', max_length=10)),
                    ('reason', models.CharField(blank=True, help_text='why it was not sent', max_length=200)),
                    ('attempts', models.PositiveIntegerField(default=0)),
                    ('attempts_before', models.PositiveIntegerField(default=0, help_text='attempts made when it was last asked for again')),
                    ('next_at', models.DateTimeField(blank=True, null=True)),
                    ('claimed_until', models.DateTimeField(blank=True, null=True)),
                    ('handed_over_at', models.DateTimeField(blank=True, null=True)),
                    ('sent_at', models.DateTimeField(blank=True, null=True)),
                    ('answer_status', models.IntegerField(blank=True, null=True)),
                    ('answer', models.CharField(blank=True, max_length=500)),
                    ('created_at', models.DateTimeField()),
                    ('alert', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='notifications.alert')),
                    ('gathered_in', models.ForeignKey(blank=True, help_text='the mail that holds it', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='gathered', to='notifications.delivery')),
                    ('recipient', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='deliveries', to='notifications.recipient')),
                    ('endpoint', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='notifications.webhookendpoint')),
                ],
                options={
                    'verbose_name_plural': 'deliveries',
                    'indexes': [models.Index(condition=models.Q(('state', 'WAITING')), fields=['next_at', 'id'], name='delivery_due'), models.Index(condition=models.Q(('state', 'GATHERING')), fields=['next_at', 'id'], name='delivery_gathering'), models.Index(condition=models.Q(('state', 'SENT')), fields=['recipient', 'sent_at'], name='delivery_sent_to_recipient'), models.Index(condition=models.Q(('state', 'UNCERTAIN')), fields=['id'], name='delivery_uncertain'), models.Index(condition=models.Q(('state', 'SENDING')), fields=['claimed_until'], name='delivery_claimed'), models.Index(fields=['endpoint', '-id'], name='delivery_of_endpoint'), models.Index(fields=['alert'], name='delivery_of_alert')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['WAITING', 'SENDING', 'SENT', 'FAILED', 'GIVEN_UP', 'SUPPRESSED', 'UNCERTAIN']), models.Q(('channel', 'email'), ('state__in', ['GATHERING', 'GATHERED'])), _connector='OR'), name='delivery_state_is_known'), models.CheckConstraint(condition=models.Q(('channel__in', ['email', 'webhook', 'slack'])), name='delivery_channel_is_known'), models.CheckConstraint(condition=models.Q(('channel', 'email'), ('endpoint__isnull', False), _connector='XOR'), name='delivery_of_a_webhook_has_its_endpoint'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'SENT'), _negated=True), ('sent_at__isnull', False), _connector='OR'), name='delivery_sent_has_its_time'), models.CheckConstraint(condition=models.Q(('state__in', ['WAITING', 'GATHERING']), ('next_at__isnull', True), _connector='XOR'), name='delivery_waiting_until_when'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'GATHERED'), _negated=True), ('gathered_in__isnull', False), _connector='OR'), name='delivery_gathered_has_its_mail'), models.CheckConstraint(condition=models.Q(('state', 'SENDING'), ('claimed_until__isnull', True), _connector='XOR'), name='delivery_sending_is_claimed')],
                },
            ),
            migrations.CreateModel(
                name='Attempt',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('number', models.PositiveIntegerField()),
                    ('at', models.DateTimeField()),
                    ('milliseconds', models.PositiveIntegerField()),
                    ('outcome', models.CharField(max_length=10)),
                    ('status', models.IntegerField(blank=True, null=True)),
                    ('answer', models.CharField(blank=True, max_length=500)),
                    ('delivery', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tries', to='notifications.delivery')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('delivery', 'number'), name='attempt_number_once')],
                },
            ),
            migrations.CreateModel(
                name='HeldAlert',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('topic', models.CharField(max_length=64)),
                    ('key', models.CharField(max_length=200, unique=True)),
                    ('severity', models.CharField(max_length=8)),
                    ('level', models.DecimalField(decimal_places=12, help_text='it is true while the balance is not above', max_digits=30)),
                    ('facts', models.JSONField(default=dict)),
                    ('state', models.CharField(choices=[('HELD', 'Held'), ('TOLD', 'Told'), ('OVERTAKEN', 'Overtaken')], default='HELD', max_length=9)),
                    ('held_at', models.DateTimeField()),
                    ('ended_at', models.DateTimeField(blank=True, null=True)),
                    ('wallet', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='held_alerts', to='wallets.wallet')),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('state', 'HELD')), fields=['wallet'], name='held_alert_of_wallet')],
                    'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('state', 'HELD')), models.Q(('ended_at__isnull', False), ('state__in', ['TOLD', 'OVERTAKEN'])), _connector='OR'), name='held_alert_ends_once')],
                },
            ),
            migrations.CreateModel(
                name='KeptMail',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('message_id', models.CharField(max_length=200, unique=True)),
                    ('address', models.CharField(max_length=500)),
                    ('subject', models.CharField(max_length=500)),
                    ('text', models.TextField()),
                    ('html', models.TextField(blank=True)),
                    ('headers', models.JSONField(default=dict)),
                    ('kept_at', models.DateTimeField(auto_now_add=True)),
                ],
                options={
                    'verbose_name': 'sent mail',
                    'verbose_name_plural': 'sent mail',
                    'indexes': [models.Index(fields=['-kept_at'], name='kept_mail_newest')],
                },
            ),
            migrations.CreateModel(
                name='Recipient',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('email', models.EmailField(max_length=254)),
                    ('language', models.CharField(default='en', max_length=16)),
                    ('time_zone', models.CharField(default='UTC', max_length=64)),
                    ('topics', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), blank=True, default=list, help_text='empty: all', size=None)),
                    ('unsubscribed', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), blank=True, default=list, size=None)),
                    ('quiet_from', models.TimeField(blank=True, help_text='of its time zone; what is not mandatory waits', null=True)),
                    ('quiet_until', models.TimeField(blank=True, null=True)),
                    ('digest', models.BooleanField(default=False, help_text='what is not mandatory comes once a day')),
                    ('by_role', models.BooleanField(default=False, help_text='told as a member of a told role, as long as it is one')),
                    ('bounced_at', models.DateTimeField(blank=True, help_text='its mailbox does not exist; nothing is sent', null=True)),
                    ('complained_at', models.DateTimeField(blank=True, help_text='called our mail spam; only what is mandatory is sent', null=True)),
                    ('created_at', models.DateTimeField()),
                    ('account', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='recipients', to='wallets.account')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('account', 'email'), name='recipient_once_per_account', nulls_distinct=False)],
                },
            ),
            migrations.CreateModel(
                name='ThresholdRule',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(help_text='Stands in what is told.', max_length=120)),
                    ('is_on', models.BooleanField(default=True, help_text='Off: acts no more, and what it throttled or blocked is lifted.')),
                    ('currency', models.CharField(blank=True, help_text='Wallets in this currency; empty: in all.', max_length=16)),
                    ('percent', models.SmallIntegerField(blank=True, help_text="At or below this share of the wallet's reference; 0: used up. A wallet that is not watched at this percentage acts at its next one below.", null=True)),
                    ('amount', models.DecimalField(blank=True, decimal_places=12, help_text='Or at or below this amount, which the wallet must be watched at; needs a currency.', max_digits=30, null=True)),
                    ('then', models.CharField(choices=[('notify', 'Notify: tell the customer or finance'), ('recharge', "Recharge: by the wallet's own auto-recharge, earlier than it says"), ('throttle', 'Throttle: let its calls through slowly'), ('block', 'Block: let no call through'), ('webhook', 'Call a webhook of ours')], max_length=8)),
                    ('audience', models.CharField(choices=[('customer', 'the customer'), ('finance', 'our finance')], default='finance', help_text='Of notify.', max_length=8)),
                    ('account', models.ForeignKey(blank=True, help_text='Empty: all.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='threshold_rules', to='wallets.account')),
                    ('endpoint', models.ForeignKey(blank=True, help_text='Of call a webhook: one of ours.', limit_choices_to={'account__isnull': True, 'removed_at__isnull': True}, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='threshold_rules', to='notifications.webhookendpoint')),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('percent__isnull', True), ('amount__isnull', True), _connector='XOR'), name='rule_at_a_percentage_or_an_amount', violation_error_message='Give either a percentage or an amount.'), models.CheckConstraint(condition=models.Q(('percent__isnull', True), models.Q(('percent__gte', 0), ('percent__lte', 99)), _connector='OR'), name='rule_percent_below_100', violation_error_message='A percentage is from 0 to 99.'), models.CheckConstraint(condition=models.Q(('amount__isnull', True), models.Q(('amount__gt', 0), models.Q(('currency', ''), _negated=True)), _connector='OR'), name='rule_amount_has_a_currency', violation_error_message='An amount is above zero, and has a currency.'), models.CheckConstraint(condition=models.Q(models.Q(('endpoint__isnull', False), ('then', 'webhook')), models.Q(models.Q(('then', 'webhook'), _negated=True), ('endpoint__isnull', True)), _connector='OR'), name='rule_webhook_has_its_endpoint', violation_error_message='Calling a webhook needs an endpoint; nothing else takes one.'), models.CheckConstraint(condition=models.Q(('then__in', ['notify', 'recharge', 'throttle', 'block', 'webhook'])), name='rule_then_is_known')],
                },
            ),
            migrations.CreateModel(
                name='RuleAct',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('crossing_number', models.BigIntegerField()),
                    ('then', models.CharField(choices=[('notify', 'Notify: tell the customer or finance'), ('recharge', "Recharge: by the wallet's own auto-recharge, earlier than it says"), ('throttle', 'Throttle: let its calls through slowly'), ('block', 'Block: let no call through'), ('webhook', 'Call a webhook of ours')], max_length=8)),
                    ('done', models.BooleanField()),
                    ('note', models.CharField(blank=True, help_text='why it was not done', max_length=300)),
                    ('at', models.DateTimeField()),
                    ('lifted_at', models.DateTimeField(blank=True, help_text='of throttle and block: no longer', null=True)),
                    ('wallet', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='rule_acts', to='wallets.wallet')),
                    ('rule', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='acts', to='notifications.thresholdrule')),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('done', True), ('lifted_at__isnull', True), ('then__in', ['throttle', 'block'])), fields=['wallet'], name='rule_act_restricts')],
                    'constraints': [models.UniqueConstraint(fields=('rule', 'wallet', 'crossing_number'), name='rule_acts_once_for_a_crossing')],
                },
            ),
            migrations.CreateModel(
                name='ToldRole',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('role', models.CharField(choices=[('OWNER', 'Owner'), ('ADMIN', 'Admin'), ('BILLING', 'Billing'), ('DEVELOPER', 'Developer'), ('VIEWER', 'Viewer')], max_length=10)),
                    ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallets.account')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('account', 'role'), name='told_role_once_per_account'), models.CheckConstraint(condition=models.Q(('role__in', ['OWNER', 'ADMIN', 'BILLING', 'DEVELOPER', 'VIEWER'])), name='told_role_is_known')],
                },
            ),
            migrations.CreateModel(
                name='WatchedPace',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('runs_out_told_at', models.DateTimeField(blank=True, null=True)),
                    ('doubled_told_at', models.DateTimeField(blank=True, null=True)),
                    ('wallet', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='watched_pace', to='wallets.wallet')),
                ],
            ),
            migrations.CreateModel(
                name='WebhookEndpoint',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('public_id', models.CharField(default=notifications.channels.webhook.models.new_endpoint_id, max_length=32, unique=True)),
                    ('kind', models.CharField(choices=[('STANDARD', 'Standard'), ('SLACK', 'Slack')], default='STANDARD', max_length=8)),
                    ('url', models.CharField(max_length=500)),
                    ('description', models.CharField(blank=True, max_length=200)),
                    ('event_types', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), blank=True, default=list, help_text='empty: all', size=None)),
                    ('sealed_secret', models.CharField(max_length=400)),
                    ('sealed_previous_secret', models.CharField(blank=True, max_length=400)),
                    ('previous_secret_until', models.DateTimeField(blank=True, null=True)),
                    ('state', models.CharField(choices=[('ACTIVE', 'Active'), ('DISABLED', 'Disabled')], default='ACTIVE', max_length=8)),
                    ('failing_since', models.DateTimeField(blank=True, help_text='no request was taken since', null=True)),
                    ('disabled_at', models.DateTimeField(blank=True, null=True)),
                    ('disabled_reason', models.CharField(blank=True, max_length=200)),
                    ('created_at', models.DateTimeField()),
                    ('removed_at', models.DateTimeField(blank=True, null=True)),
                    ('account', models.ForeignKey(blank=True, help_text="empty: the vendor's", null=True, on_delete=django.db.models.deletion.PROTECT, related_name='webhook_endpoints', to='wallets.account')),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('removed_at__isnull', True)), fields=['account', 'id'], name='endpoint_of_account')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['STANDARD', 'SLACK'])), name='endpoint_kind_is_known'), models.CheckConstraint(condition=models.Q(('state__in', ['ACTIVE', 'DISABLED'])), name='endpoint_state_is_known'), models.CheckConstraint(condition=models.Q(('kind', 'STANDARD'), ('account__isnull', True), _connector='OR'), name='endpoint_for_slack_is_the_vendors'), models.CheckConstraint(condition=models.Q(('sealed_previous_secret', ''), ('previous_secret_until__isnull', False), _connector='XOR'), name='endpoint_previous_secret_has_end'), models.CheckConstraint(condition=models.Q(('state', 'ACTIVE'), ('disabled_at__isnull', False), _connector='XOR'), name='endpoint_disabled_since_when')],
                },
            ),
        ]),
    ]
