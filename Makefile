# Every target works in an empty clone: it needs Python 3.11, make and the package registries.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
POT = messages.pot
SOURCES = model training service tests benchmarks

.DEFAULT_GOAL := help
.PHONY: help run test check long format translations train evaluate bench clients clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(BIN)/python setup.cfg pyproject.toml model/__init__.py
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

run: $(VENV)/.installed ## start the service on SQLite with the shipped model
	$(BIN)/replyguard serve

test: $(VENV)/.installed-dev ## run every test that needs nothing but Python
	$(BIN)/python -m pytest -q -n 2

check: $(VENV)/.installed-dev ## format, lint, types, import contracts, and the tests that are not long
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q -n 2 -m "not clients and not long"

long: $(VENV)/.installed-dev ## the tests that are long by nature: kill -9, swaps under load, a server of two workers
	$(BIN)/python -m pytest -q -n 2 -m long

format: $(VENV)/.installed-dev ## rewrite the sources in the project's format
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

translations: $(VENV)/.installed-dev ## collect the notice's words, merge them into the catalogues, compile those
	$(BIN)/pybabel -q extract --mapping babel.cfg --keywords mark --no-location --output $(POT) .
	$(BIN)/pybabel -q update --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date --width 110 \
		--input-file $(POT) --output-dir service/translations
	$(BIN)/pybabel -q compile --directory service/translations
	rm $(POT)

train: $(VENV)/.installed ## fit the version that ships, from REPLYGUARD_CORPORA
	$(BIN)/python -m training fit

evaluate: $(VENV)/.installed ## evaluation on what no fit saw, from REPLYGUARD_CORPORA
	$(BIN)/python -m training evaluate

bench: $(VENV)/.installed-dev ## speed of scoring and of the service, as ratios
	$(BIN)/python -m benchmarks

clients: $(VENV)/.installed-dev ## drive other people's Akismet clients against the service
	$(BIN)/python -m pytest -q -rs -m clients

clean: ## remove what the other targets made, but not the data folder
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache
