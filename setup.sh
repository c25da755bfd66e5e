#!/usr/bin/env bash
# Makes a fresh Debian machine with Go ready to build and run Interlock: a C compiler and libz3-dev for the Z3 worker, and the
# z3 and cvc5 binaries, which prove again what the worker proved. Installs what is missing, or says exactly what to install.
set -euo pipefail

fail() { printf 'setup: %s\n' "$*" >&2; exit 4; }

command -v go >/dev/null || fail "Go is missing: see https://go.dev/doc/install (1.26 or later)"

missing=()
command -v gcc >/dev/null || missing+=(gcc libc6-dev)
printf '#include <z3.h>\n' | gcc -E - >/dev/null 2>&1 || missing+=(libz3-dev)
command -v z3 >/dev/null || missing+=(z3)
command -v cvc5 >/dev/null || missing+=(cvc5)
[ ${#missing[@]} -eq 0 ] && exit 0

install="apt-get install -y --no-install-recommends ${missing[*]}"
command -v apt-get >/dev/null || fail "missing: ${missing[*]} (the names are Debian's packages)"
if [ "$(id -u)" -eq 0 ]; then
  as=()
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
  as=(sudo)
else
  fail "missing: ${missing[*]}. Install them, then run this again:
    sudo $install"
fi
echo "setup: $install"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086 # the package names are words
if ! { "${as[@]}" $install || { "${as[@]}" apt-get update && "${as[@]}" $install; }; } >"$log" 2>&1; then
  tail -n 5 "$log" >&2
  fail "could not install ${missing[*]}"
fi
