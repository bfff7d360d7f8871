# make app        the dashboard            make test     the tests
# make app HOST=0.0.0.0    ... open to other machines
# make types      the types (mypy)
# make notebooks  the lessons              make docs     the book
# make clean      removes what was installed and built
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8501
HOST = localhost

.PHONY: app test style suite types notebooks docs clean browser javascript

app: $(VENV)/installed
	$(BIN)/dista app --port $(PORT) --host $(HOST)

# Types and JavaScript are checked beside the tests: these leave cores waiting for browsers and child processes.
test: $(VENV)/installed browser
	@$(MAKE) --no-print-directory --jobs 2 style javascript types suite

style: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

suite: $(VENV)/installed
	$(BIN)/pytest -n 3 --dist worksteal

types: $(VENV)/installed
	$(BIN)/mypy

notebooks: $(VENV)/installed
	$(BIN)/jupyter lab notebooks

# The lessons are run once, and again when the package has changed: minutes. Nothing comes from the network but the tools.
docs: $(VENV)/documenting
	$(BIN)/sphinx-build --fail-on-warning --keep-going -q -c notebooks/book -d build/book/doctrees notebooks build/book/html
	@echo "The book: build/book/html/index.html"

$(VENV)/documenting: $(VENV)/installed
	$(BIN)/pip install --quiet --editable '.[docs]'
	touch $@

# One resolver run for everything: torch and torchvision have to match each other. Loops are compiled here, and not
# while somebody waits for a first figure.
$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable '.[test]'
	$(BIN)/dista compile
	touch $@

# The browser tests need Chromium; they skip, with a reason, where there is none. Root of a system with
# apt-get gets it, and reads so before; nobody else's system is changed, and nobody's with APT=no.
APT ?= yes
CHROMIUM := chromium fonts-dejavu-core

browser:
	@if { command -v chromium || command -v chromium-browser || command -v google-chrome; } >/dev/null 2>&1; then :; \
	elif [ "$(APT)" = yes ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	  echo "The browser tests need Chromium, which is not here. It is installed on this system now:"; \
	  echo "    apt-get update && apt-get install --no-install-recommends $(CHROMIUM)"; \
	  echo "(make test APT=no leaves the system as it is, and these tests out)"; \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $(CHROMIUM) >/dev/null; } \
	  || echo "It could not be installed: the browser tests will be skipped"; \
	else echo "Chromium not found: the browser tests will be skipped (apt-get install chromium)"; fi

# Linter, types, unit tests and bundles of the widgets' JavaScript. Whoever uses the package needs none of it.
javascript:
	@if ! command -v npm >/dev/null 2>&1; then \
	  echo "node not found: the JavaScript is not checked (needs node 20 or newer)"; \
	elif ! npm ci --silent; then \
	  echo "The tools for JavaScript can't be installed (npm ci): it is not checked"; \
	else npm run --silent check; fi

clean:
	rm -rf $(VENV) node_modules .mypy_cache build/book
