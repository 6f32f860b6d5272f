"""Policies in the back office: seen, changed after a look, noted with their reason; and what is held for work in flight."""

from __future__ import annotations

from decimal import Decimal as D

from django.apps import apps
from django.test import Client
from django.urls import reverse

from notifications.rules.models import RuleAct, ThresholdRule
from tests.factories.holds import hold_on
from tests.factories.shop import NOW, Shop, text_of
from wallets import clock
from wallets.accounts.models import Account, User
from wallets.balances.models import Wallet


def test_an_accounts_policy_is_changed_after_a_look(shop: Shop, finance: Client) -> None:
    account = shop.acme.account
    page, url = (reverse(f"admin:wallets_account_{name}", args=[account.pk]) for name in ("change", "policy"))
    assert "Stores away Closed: refuse calls" in text_of(finance.get(page))
    answers = {
        "on_outage": "open", "offline_allowance": "2.5", "capture_above": "cap", "final_unit_action": "restrict",
        "final_unit_url": "", "final_unit_meters": "llm.input_tokens, calls", "reason": "Trusted", "token": "t",
    }  # fmt: skip
    review = text_of(finance.post(url, answers | {"step": "review"}))
    assert "Closed: refuse calls" in review
    assert "Open: let through up to the allowance" in review
    assert finance.post(url, answers | {"step": "confirm"}).status_code == 302
    now = Account.objects.get(pk=account.pk)
    assert (now.on_outage, now.offline_allowance, now.capture_above) == ("open", D("2.5"), "cap")
    shown = text_of(finance.get(page))
    assert "Open: let through up to 2.50 USD" in shown
    assert "Restrict to llm.input_tokens, calls" in shown
    assert "Trusted" in apps.get_model("admin", "LogEntry").objects.get(object_id=str(account.pk)).change_message


def test_a_wallets_policy_is_changed_and_nonsense_is_refused(shop: Shop, finance: Client) -> None:
    wallet = shop.acme.wallet
    url = reverse("admin:wallets_wallet_policy", args=[wallet.pk])
    answers = {"on_empty": "grace", "grace_limit": "5", "throttle_per_minute": "10", "reason": "Good customer", "token": "t"}
    assert finance.post(url, answers | {"step": "confirm", "grace_limit": "-1"}).status_code == 422
    assert "grace down to −5.00" not in text_of(finance.get(reverse("admin:wallets_wallet_change", args=[wallet.pk])))
    assert finance.post(url, answers | {"step": "confirm"}).status_code == 302
    now = Wallet.objects.get(pk=wallet.pk)
    assert (now.on_empty, now.grace_limit) == ("grace", D(5))
    assert "grace down to −5.00" in text_of(finance.get(reverse("admin:wallets_wallet_change", args=[wallet.pk])))


def test_thresholds_of_an_account_and_a_wallet_are_set_after_a_look(shop: Shop, finance: Client) -> None:
    wallet = shop.acme.wallet
    page, url = (reverse(f"admin:wallets_wallet_{name}", args=[wallet.pk]) for name in ("change", "thresholds"))
    assert "Watched at 50 20 5 %" in text_of(finance.get(page))
    answers = {"percents": "40, 10 %", "amounts": "25 7.5", "reference": "500", "reason": "Asked for", "token": "t"}
    assert "those of the account" in text_of(finance.post(url, answers | {"step": "review"}))
    assert finance.post(url, answers | {"step": "confirm", "percents": "lots"}).status_code == 422
    assert finance.post(url, answers | {"step": "confirm", "percents": "100"}).status_code == 422
    assert finance.post(url, answers | {"step": "confirm"}).status_code == 302
    shown = text_of(finance.get(page))
    assert "Watched at 40 10 %, 25.00 7.50 USD; shares of 500.00" in shown
    account = reverse("admin:wallets_account_thresholds", args=[shop.acme.account.pk])
    assert finance.post(account, {"percents": "75", "reason": "All", "token": "u", "step": "confirm"}).status_code == 302
    assert Account.objects.get(pk=shop.acme.account.pk).threshold_percents == [75]


def test_a_rule_at_a_threshold_is_made_and_what_it_did_is_seen(shop: Shop, finance: Client) -> None:
    add = reverse("admin:notifications_thresholdrule_add")
    fine = {"name": "Stop early", "is_on": "on", "percent": "5", "then": "block", "audience": "finance"}
    assert "either a percentage or an amount" in text_of(finance.post(add, fine | {"amount": "10", "currency": "USD"}))
    assert "has a currency" in text_of(finance.post(add, fine | {"percent": "", "amount": "10"}))
    assert "needs an endpoint" in text_of(finance.post(add, fine | {"then": "webhook"}))
    assert finance.post(add, fine).status_code == 302
    rule = ThresholdRule.objects.get()
    RuleAct.objects.create(
        rule=rule, wallet=shop.acme.wallet, crossing_number=1, then=rule.then, done=False, note="Not possible.", at=NOW
    )
    assert "5 %" in text_of(finance.get(reverse("admin:notifications_thresholdrule_changelist")))
    acts = reverse("admin:notifications_ruleact_changelist")
    assert "Not possible." in text_of(finance.get(acts, {"q": "acme"}))
    assert "Not possible." not in text_of(finance.get(acts, {"q": "globex"}))
    assert finance.get(reverse("admin:notifications_thresholdrule_delete", args=[rule.pk])).status_code == 403


def test_support_may_look_but_not_change(shop: Shop, sam: User) -> None:
    browser = Client()
    browser.force_login(sam)
    for model, pk in (("account", shop.acme.account.pk), ("wallet", shop.acme.wallet.pk)):
        assert browser.get(reverse(f"admin:wallets_{model}_policy", args=[pk])).status_code == 403


def test_the_wallet_page_shows_what_is_set_aside_and_not_what_has_lapsed(shop: Shop, finance: Client) -> None:
    wallet = shop.acme.wallet
    page = reverse("admin:wallets_wallet_change", args=[wallet.pk])
    assert "Set aside for work in flight" not in text_of(finance.get(page))
    open_, lapsed = hold_on(wallet, "1.25", ttl=86_400), hold_on(wallet, "2", ttl=10)
    with clock.set_to(NOW):
        shown = text_of(finance.get(page))
    assert open_.public_id in shown
    assert lapsed.public_id not in shown
    assert "Available as of 23 Nov 2026, 12:00 8.65 USD" in shown
