#!/bin/sh
# A phone that sleeps: reads what the sandbox says, and starts a SIP client for 20 s when a push arrives. It answers each call.
#   npm run -s cli -- sandbox | integrations/test-phone.sh sip:123456789@127.0.0.1:5060 change-me
# Needs baresip (Debian: baresip-core); BARESIP_MODULES is the folder of its modules where it is another one.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/config" <<CONFIG
module_path ${BARESIP_MODULES:-/usr/lib/baresip/modules}
module g711.so
module aubridge.so
module_app account.so
module_app menu.so
audio_source aubridge,x
audio_player aubridge,x
CONFIG
echo "<$1>;auth_pass=$2;answermode=auto;regint=60" >"$folder/accounts"
: >"$folder/contacts"
phone=
while IFS= read -r line; do
  printf '%s\n' "$line"
  case $line in *': a push arrives'*)
    if [ -z "$phone" ] || ! kill -0 "$phone" 2>/dev/null; then
      baresip -f "$folder" -t 20 </dev/null 2>&1 | grep --line-buffered -aE '200 OK|answering|established|closed' | sed -u 's/^.*\r//; s/^/# phone: /' &
      phone=$!
    fi
    ;;
  esac
done
