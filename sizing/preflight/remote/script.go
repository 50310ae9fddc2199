//go:build linux

package remote

import "strings"

// script is what runs on the host, by any POSIX shell. It tells what it does in
// lines that begin with island-, and never has a quotation mark ' in it. The
// probe is sent when the script has said that it is ready for it, so that no
// program can read ahead into what follows. Where a network loses what is sent,
// nobody tells the host that the other side has gone: so it waits for the probe
// only so long.
const script = `
umask 077
LC_ALL=C; export LC_ALL
d=
clean() { [ -z "$d" ] || rm -rf "$d"; d=; }
fail() { echo "island-fail $1 $2"; exit 1; }
trap clean EXIT
trap "exit 129" HUP INT TERM
limit=
if command -v timeout >/dev/null 2>&1; then limit="timeout 120"; fi
since=
{ read -r since rest </proc/uptime && read -r rest </proc/stat; } 2>/dev/null && since="$since $rest"
uid=$(id -u)
echo "island-hello $(uname -sm)"
read -r size sum mode || exit 0
pw=
if [ "$mode" = password ]; then IFS= read -r pw; fi
if [ "$uid" = 0 ]; then mode=plain; fi
made=
for base in "${TMPDIR:-/tmp}" /var/tmp "$HOME" /dev/shm; do
  err=$(mktemp -d "$base/.island-probe.XXXXXXXX" 2>&1)
  if [ ! -d "$err" ]; then
    case $err in *"No space left"*|*uota*) fail disk-full "$base" ;; esac
    continue
  fi
  d=$err
  err=$( { printf "#!/bin/sh\nexit 0\n" >"$d/try"; } 2>&1) || fail disk-full "$base"
  chmod 700 "$d/try"
  if "$d/try" 2>/dev/null; then rm -f "$d/try"; made=$base; break; fi
  clean
done
[ -n "$made" ] || fail no-exec no-folder
# A sudo that does not ask would leave the password to the probe.
if [ "$mode" = password ]; then
  if sudo -n -k true 2>/dev/null; then mode=sudo
  else printf "%s\n" "$pw" | sudo -S -k -p "" true 2>/dev/null || fail no-sudo sudo-refuses
  fi
fi
echo island-ready
err=$($limit head -c "$size" 2>&1 >"$d/sent.gz") || case $?:$err in
124:*) fail stalled not-arrived ;;
*"No space left"*|*uota*) fail disk-full "$made" ;;
*) fail failed "$err" ;;
esac
got=$(sha256sum <"$d/sent.gz")
[ "${got%% *}" = "$sum" ] || fail damaged sum-differs
err=$(gzip -dc <"$d/sent.gz" 2>&1 >"$d/island-probe") || case $err in
*"No space left"*|*uota*) fail disk-full "$made" ;;
*) fail failed "$err" ;;
esac
rm -f "$d/sent.gz"
chmod 700 "$d/island-probe"
echo island-start
case $mode in
sudo) sudo -n "$d/island-probe" session --remove "$d" --since "$since" ;;
# cat ends with the input alone: that the probe has ended is said before.
password) { printf "%s\n" "$pw"; exec cat; } |
	{ sudo -S -k -p "" "$d/island-probe" session --remove "$d" --since "$since"; echo "island-end $?"; } ;;
*) "$d/island-probe" session --remove "$d" --since "$since" ;;
esac
code=$?
# sudo ends as the probe does; only where that failed it is asked for itself.
if [ "$code $mode" = "1 sudo" ]; then sudo -n true 2>/dev/null || fail no-sudo sudo-asks; fi
echo "island-end $code"
`

// command is the script as one word for whatever login shell the host has.
func command() string { return "exec sh -c '" + strings.TrimSpace(script) + "'" }
