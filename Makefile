# make app        the dashboard            make test     the tests
# make app HOST=0.0.0.0    ... open to other machines
# make notebooks  the lessons              make clean    removes the virtual environment
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8501
HOST = localhost

.PHONY: app test notebooks clean browser

app: $(VENV)/installed
	$(BIN)/dista app --port $(PORT) --host $(HOST)

test: $(VENV)/installed browser
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
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

clean:
	rm -rf $(VENV)
