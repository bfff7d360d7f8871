# make app        the dashboard            make test     the tests
# make app HOST=0.0.0.0    ... open to other machines
# make notebooks  the lessons              make clean    removes what was installed
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8501
HOST = localhost

.PHONY: app test notebooks clean browser javascript

app: $(VENV)/installed
	$(BIN)/dista app --port $(PORT) --host $(HOST)

test: $(VENV)/installed browser javascript
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -n 2

notebooks: $(VENV)/installed
	$(BIN)/jupyter lab notebooks

# One resolver run for everything: torch and torchvision have to match each other.
$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable '.[test]'
	touch $@

# The browser tests need Chromium; they skip, with a reason, where it can't be installed.
browser:
	@command -v chromium >/dev/null 2>&1 || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium fonts-dejavu-core >/dev/null || true; \
	  else echo "Chromium not found: the browser tests will be skipped (apt-get install chromium)"; fi; }

# Linter, types, unit tests and bundles of the widgets' JavaScript. Whoever uses the package needs none of it.
javascript:
	@if ! command -v npm >/dev/null 2>&1; then \
	  echo "node not found: the JavaScript is not checked (needs node 20 or newer)"; \
	elif ! npm ci --silent; then \
	  echo "The tools for JavaScript can't be installed (npm ci): it is not checked"; \
	else npm run --silent check; fi

clean:
	rm -rf $(VENV) node_modules .mypy_cache
