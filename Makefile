# A machine needs Python 3.11 or newer and make; everything else goes into .venv, pinned with hashes.

PYTHON ?= python3
JOBS ?= 2
VENV := .venv
PIP := $(VENV)/bin/pip --quiet --disable-pip-version-check

.PHONY: help run test lint bench attack killed look messages lock
.DEFAULT_GOAL := help

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-12s %s\n", $$1, $$2 }'

run: $(VENV)/run.stamp ## everything on this machine, with a demo company; PORT=8123 DATA_DIR=/some/folder for another beside it
	@$(VENV)/bin/python manage.py run --end-with-parent

test: $(VENV)/dev.stamp ## all tests, on real servers, two beside each other; T=tests/wallets for some of them, JOBS=0 for one by one
	@$(VENV)/bin/pytest -n $(JOBS) --dist worksteal $(T)

lint: $(VENV)/dev.stamp ## ruff, mypy, import contracts
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports

bench: $(VENV)/run.stamp ## measure ingest against the limit of the database, on servers of its own
	@$(VENV)/bin/python manage.py bench ingest

attack: $(VENV)/dev.stamp ## 64 clients in 8 processes on a wallet of 5.00, 50 seeds, also while Redis is flushed and killed; some minutes
	@ATTACK=full $(VENV)/bin/pytest -q tests/concurrency/test_attack_through_holds.py tests/concurrency/test_attack_through_soft_checks.py

killed: $(VENV)/dev.stamp ## kill -9 the worker at random points of 200 recharges; webhooks of a dispute in all 120 orders; some minutes
	@WEBHOOK_ORDERS=all $(VENV)/bin/pytest -q tests/wallets/refunds/test_dispute.py
	@RECHARGES_KILLED=200 $(VENV)/bin/pytest -q -s tests/faults/test_killed_while_recharging.py

look: $(VENV)/dev.stamp ## every page in Chromium, both themes, phone and screen, against axe-core; a minute
	@LOOK=all $(VENV)/bin/pytest -q tests/billing_site/portal/test_every_page.py

messages: ## compile templates/locale/*/LC_MESSAGES/django.po (needs gettext)
	@for po in templates/locale/*/LC_MESSAGES/django.po; do msgfmt -c -o $${po%.po}.mo $$po; done

lock: $(VENV)/dev.stamp ## pin what pyproject.toml asks for, with hashes
	@$(PIP) install uv
	@$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links -o requirements.lock pyproject.toml
	@$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links -o requirements-dev.lock -c requirements.lock --extra dev pyproject.toml

$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0])'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements.lock | $(VENV)/bin/pip
	@echo "Installing into $(VENV)"
	@$(PIP) install --require-hashes -r requirements.lock
	@touch $@

$(VENV)/dev.stamp: requirements-dev.lock | $(VENV)/bin/pip
	@echo "Installing into $(VENV)"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@ $(VENV)/run.stamp
