#!/usr/bin/env bash
# Installs the Debian packages that are missing, where it may; else names them and fails.
#   host     the compiler that builds the generated project for this machine
#   boards   the same, what builds and runs it for the emulated boards, and the browser that opens its page in tests
set -euo pipefail

have() { command -v "$1" > /dev/null; }
arm_compiles() {
    printf '#include <%s>\n' cstdint cstdio | arm-none-eabi-g++ -x c++ -fsyntax-only - 2> /dev/null
}

missing=()
have g++ || missing+=(g++)
have cmake || missing+=(cmake)
have make || missing+=(make)
if [[ ${1:?host or boards} == boards ]]; then
    have arm-none-eabi-g++ && arm_compiles ||
        missing+=(gcc-arm-none-eabi libnewlib-arm-none-eabi libstdc++-arm-none-eabi-newlib)
    have qemu-system-arm || missing+=(qemu-system-arm)
    have chromium-headless-shell || have chromium || missing+=(chromium-headless-shell)
fi
[[ ${#missing[@]} -eq 0 ]] && exit 0

if [[ $(id -u) -eq 0 ]] && have apt-get; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "${missing[@]}"
else
    echo "error: these Debian packages are missing; install them and run make again:" >&2
    echo "    sudo apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
fi
