#!/usr/bin/env bash
# The servers and programs that the tests start: installed where they are missing and this is root on Debian or Ubuntu.
set -euo pipefail
packages=()
compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || command -v postgres >/dev/null || packages+=(postgresql)
PATH=$PATH:/usr/sbin command -v mariadbd >/dev/null || packages+=(mariadb-server)
command -v redis-server >/dev/null || packages+=(redis-server)
command -v redis-sentinel >/dev/null || packages+=(redis-sentinel)
command -v lua5.4 >/dev/null || packages+=(lua5.4)
command -v curl >/dev/null || packages+=(curl)
command -v sqlite3 >/dev/null || packages+=(sqlite3)
PATH=$PATH:/usr/sbin command -v kamailio >/dev/null || packages+=(kamailio)
compgen -G '/usr/lib/*/kamailio/modules/http_client.so' >/dev/null || packages+=(kamailio-utils-modules)
command -v sipp >/dev/null || packages+=(sip-tester)
command -v baresip >/dev/null || packages+=(baresip-core)
# The package tinyproxy adds a service; this one is the program alone.
command -v tinyproxy >/dev/null || packages+=(tinyproxy-bin)
PATH=$PATH:/usr/sbin command -v squid >/dev/null || packages+=(squid)
# promtool: 19 MB, 96 MB installed.
command -v promtool >/dev/null || packages+=(prometheus)
if [ ${#packages[@]} -eq 0 ]; then exit 0; fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "Missing for the tests with real servers: ${packages[*]}. Install them, as root: apt-get install ${packages[*]}" >&2
  exit 0
fi
export DEBIAN_FRONTEND=noninteractive
# The packages must not start servers of their own.
mkdir -p /etc/postgresql-common
[ -e /etc/postgresql-common/createcluster.conf ] || echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
missing() {
  echo "Could not be installed for the tests with real servers: ${packages[*]}. Without them these tests are skipped; with CI=true they fail." >&2
  if [ "${CI:-}" = true ]; then exit 1; fi
  exit 0
}
apt-get update -qq || missing
# The others have no such switch: invoke-rc.d asks policy-rc.d, and 101 means that services stay stopped.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  printf '#!/bin/sh\nexit 101\n' >$policy
  chmod 755 $policy
  trap 'rm -f $policy' EXIT
fi
apt-get install -y -qq --no-install-recommends "${packages[@]}" || missing
