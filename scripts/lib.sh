# Shared by the scripts beside it: where things are, and packages that are missing.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$*"; exit 1; }

# need COMMAND PACKAGE ...: installs the Debian packages whose command is not there.
need() {
  local missing=()
  while [ $# -gt 0 ]; do
    command -v "$1" >/dev/null || missing+=("$2")
    shift 2
  done
  install_packages "${missing[@]}"
}

# need_library PKG-CONFIG-NAME PACKAGE: the same for a C library.
need_library() {
  pkg-config --exists "$1" 2>/dev/null || install_packages "$2"
}

install_packages() {
  [ $# -gt 0 ] || return 0
  command -v apt-get >/dev/null || die "please install: $*"
  [ "$(id -u)" = 0 ] || die "please install, or run this as root: $*"
  say "installing $*"
  # The daemons that come with the packages must not be started by them.
  local policy=/usr/sbin/policy-rc.d made=
  if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod +x $policy
    made=yes
  fi
  export DEBIAN_FRONTEND=noninteractive
  local options=(-qq -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0)
  apt-get "${options[@]}" install -y --no-install-recommends "$@" >/dev/null 2>&1 ||
    { apt-get "${options[@]}" update >&2 &&
      apt-get "${options[@]}" install -y --no-install-recommends "$@" >/dev/null; }
  local status=$?
  [ -z "$made" ] || rm -f $policy
  return $status
}

need_build_tools() {
  command -v swift >/dev/null || die "swift is not on PATH: https://www.swift.org/install"
  need pkg-config pkg-config
  need_library zlib zlib1g-dev
}
