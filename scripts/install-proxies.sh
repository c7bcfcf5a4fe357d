#!/usr/bin/env bash
# The proxies of `npm run test:proxies`, from Debian or Ubuntu, as root. None of them starts, now or at the next boot.
set -euo pipefail
packages=()
for pair in nginx:nginx haproxy:haproxy apache2:apache2 caddy:caddy h2o:h2o nghttpx:nghttp2-proxy; do
  PATH=$PATH:/usr/sbin command -v "${pair%%:*}" >/dev/null || packages+=("${pair##*:}")
done
if [ ${#packages[@]} -eq 0 ]; then exit 0; fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "Missing for npm run test:proxies: ${packages[*]}. Install them, as root: apt-get install ${packages[*]}" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
# invoke-rc.d asks policy-rc.d, and 101 means that services stay stopped.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  printf '#!/bin/sh\nexit 101\n' >$policy
  chmod 755 $policy
  trap 'rm -f $policy' EXIT
fi
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${packages[@]}"
if command -v systemctl >/dev/null; then
  for package in "${packages[@]}"; do
    # Not each package has one with this suffix.
    { dpkg -L "$package" "$package-common" 2>/dev/null || true; } | sed -n 's#.*/systemd/system/\([^/@]*\.service\)$#\1#p' |
      xargs -r systemctl --quiet disable
  done
fi
