# Two commands: `make run` opens the app, `make test` checks everything. Both set up .venv by themselves.
#   make run PORT=8600     on another port
#   make run TORCH=cpu     with the CPU build of PyTorch (the default one on Linux carries several GB for NVIDIA cards)
PORT ?= 8501
TORCH ?=
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3.14 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)

.PHONY: run test

run: $(VENV)/run.stamp
	$(BIN)/streamlit run app.py --server.port $(PORT)

test: $(VENV)/test.stamp
	sh tests/find_browser.sh >/dev/null
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright
	$(BIN)/python -m pytest

$(VENV)/run.stamp: requirements.txt $(VENV)/pyvenv.cfg
ifeq ($(TORCH),cpu)
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip install --python $(BIN)/python --torch-backend cpu -r requirements.txt
endif
	$(BIN)/python -m pip install --quiet -r requirements.txt
	touch $@

$(VENV)/test.stamp: requirements-dev.txt $(VENV)/run.stamp
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	touch $@

$(VENV)/pyvenv.cfg:
	@test -n "$(PYTHON)" || { echo "Autoencoder Lab needs Python 3.11 or later, and none was found. Install it from python.org or your system's packages, then run make again."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "Python could not make a virtual environment. On Debian and Ubuntu: apt-get install python3-venv, then run make again."; exit 1; }
	@echo "Installing into $(VENV): the first time takes a few minutes."
