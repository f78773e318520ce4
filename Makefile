# The two commands of the README. Everything else is `cargo`.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
# What `make lint` holds, a part each.
LINTS := rustfmt clippy licences rustdoc

.PHONY: run test test-corpus test-debian test-database test-nix test-realm test-faults test-podmans test-repeat bench lint $(LINTS) ci-parts build-test emit package toolchain prepare-compiler prepare-run prepare-test

FORGE := target/release/lychd-forge --codex examples/codex --crypt examples/crypt

# cargo-deny is built into a directory of its own; in Debian there is none.
DENY_VERSION := 0.20.2
DENY_ROOT := target/tools/cargo-deny-$(DENY_VERSION)
DENY := $(DENY_ROOT)/bin/cargo-deny

# $(call package,PROGRAM,PACKAGES): the packages, when the program is missing.
package = $(if $(shell command -v $(1) 2>/dev/null),,$(2))

COMPILER_PACKAGES := $(call package,cc,gcc libc6-dev)
RUN_PACKAGES := $(strip $(COMPILER_PACKAGES) $(call package,nix,nix-bin) $(call package,podman,podman crun) $(call package,bwrap,bubblewrap) \
	$(if $(wildcard /etc/ssl/certs/ca-certificates.crt),,ca-certificates))
TEST_PACKAGES := $(strip $(RUN_PACKAGES) $(call package,git,git) \
	$(call package,python3,python3) $(call package,as,binutils) $(call package,mmdebstrap,mmdebstrap) $(call package,curl,curl) $(call package,chromium,chromium) \
	$(call package,systemd-nspawn,systemd-container))

# Installs with apt as root or through sudo; elsewhere names what is missing and stops.
define install
missing="$(1)"
if [ -n "$$missing" ]; then
if ! command -v apt-get >/dev/null; then echo "missing, please install: $$missing" >&2; exit 1; fi
if [ "$$(id -u)" = 0 ]; then as=(env); elif command -v sudo >/dev/null; then as=(sudo env);
else echo "missing, and neither root nor sudo is at hand: $$missing" >&2; exit 1; fi
"$${as[@]}" apt-get update -q
"$${as[@]}" DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $$missing
fi
endef

# Nix as root builds as these users; without them it needs user namespaces, which a chroot forbids. It kills whatever runs by
# their numbers, in a machine that was booted below it too: so they have those of Nix's own installer, which nobody else has.
define build_users
if [ "$$(id -u)" = 0 ] && ! getent group nixbld >/dev/null && [ ! -S /nix/var/nix/daemon-socket/socket ]; then
groupadd --gid 30000 nixbld
for n in 1 2 3 4; do useradd --uid 3000$$n --no-create-home --home-dir /var/empty --shell /usr/sbin/nologin --gid nixbld --groups nixbld nixbld$$n; done
fi
endef

run: prepare-run
	@cargo build --release --locked
	$(FORGE) forge

build-test: prepare-compiler
	@cargo test --locked --no-run

# The machine that the tests of the realm share waits much and works little: they run beside the others, by one forged
# example. What they say comes after what those say.
test: prepare-test
	@cargo test --locked --no-run
	export LYCHD_FORGE_TEST_RUN=$$$$
	cargo test --locked --test it -- realm:: > target/realm.log 2>&1 &
	others=0 realm=0
	cargo test --locked -- --skip realm:: || others=$$?
	wait $$! || realm=$$?
	cat target/realm.log
	exit $$((others | realm))

# The locks of uv and npm that are held against what uv and npm themselves install.
test-corpus: prepare-test
	@cargo test --locked --test it corpus

# Programs of hundreds of packages that find their data in one another's: images of their own, minutes.
test-debian: prepare-test
	@cargo test --locked --test it -- --ignored debian_

# The first start of the forged database, killed before and after each step and dozens of times anywhere: minutes.
test-database: prepare-test
	@cargo test --locked --test it -- --ignored database_

# The example by the Nix of Debian 13, which is another than this host's may be: the same image.
test-nix: prepare-test
	@cargo test --locked --test it -- --ignored nix_2_26

# Hundreds of switches of Covens on a real systemd, what is cut short, bodies that do not live, snapshots given back by
# hand, LychD's own inscription taken over: minutes.
test-realm: prepare-test
	@cargo test --locked --test it -- --ignored covens:: rites::a_ rebirth::a_ soul::a_ lychds:: database::a_

# An inscription that is cut short at every boundary: hours. `FAULTS_EVERY=6 make test-faults` tries every sixth.
test-faults: prepare-test
	@cargo test --locked --test it -- --ignored --nocapture faults_

# The golden units before podman's generator and systemd of newer Debians than the one that the suite brings.
test-podmans: prepare-test
	@cargo test --locked --test it -- --ignored --nocapture podmans_

# Tests that have failed now and then, each REPEAT times alone. `make test-repeat REPEAT=50 LOAD=8` keeps eight
# processes busy meanwhile.
REPEAT := 500
LOAD := 0
REPEATED := image_stream::what_cannot_be_an_image_is_refused \
	image_stream::a_rebuilt_path_is_hashed_again_and_a_changed_one_is_refused \
	inscription::podman_and_systemd_accept_every_set
test-repeat: prepare-test
	@cargo test --locked --test it --no-run
	tests/repeat.sh $(REPEAT) $(LOAD) $(REPEATED)

bench:
	@cargo bench --locked

lint: $(LINTS)

# What .ci/run runs, one after the other.
ci-parts:
	@echo prepare-test $(LINTS) build-test test

rustfmt:
	@cargo fmt --check

# The fence around effects (clippy.toml) is among these.
clippy: prepare-compiler
	@cargo clippy --locked --all-targets -- -D warnings

licences: $(DENY)
	@$(DENY) check bans licenses sources

# Unoptimised and without debug information, which is built the soonest.
$(DENY): | prepare-compiler
	@CARGO_PROFILE_DEV_DEBUG=false cargo install --locked --debug --root $(DENY_ROOT) --version $(DENY_VERSION) cargo-deny

rustdoc: prepare-compiler
	@RUSTDOCFLAGS=-Dwarnings cargo doc --locked --no-deps --document-private-items

# The committed flake of the example, from its committed locks. Sources that changed are locked anew (lychd.lock).
emit:
	@cargo build --release --locked
	$(FORGE) transmute --out examples/flake

# The package of the flake, built from nothing but pinned downloads, and what `nix flake check` wants: minutes.
package: prepare-run
	@nix --extra-experimental-features "nix-command flakes" build --print-build-logs .#lychd-forge
	nix --extra-experimental-features "nix-command flakes" flake check --print-build-logs

# The newest Rust and compiler of Debian for it. The first line of a flake's file names a Synthesis, which the Nix
# library is part of; the pins are not.
toolchain: TOOLCHAIN := nix/forge/toolchain
toolchain:
	@cargo build --release --locked
	directory="$$(mktemp -d)"
	trap 'rm -rf "$$directory"' EXIT
	target/release/lychd-forge --codex $(TOOLCHAIN)/codex --crypt $(TOOLCHAIN)/crypt --state "$$directory/state" \
		transmute --update system --out "$$directory/flake"
	{ echo "# Written by \`make toolchain\`; edits are lost."; tail -n +2 "$$directory/flake/debian.nix"; } > $(TOOLCHAIN)/debian.nix

prepare-compiler:
	@$(call install,$(COMPILER_PACKAGES))

prepare-run:
	@$(call install,$(RUN_PACKAGES))
	$(build_users)

prepare-test:
	@$(call install,$(TEST_PACKAGES))
	$(build_users)
