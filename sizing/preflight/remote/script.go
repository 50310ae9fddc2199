//go:build linux

package remote

// greeting proves that the host's login runs commands, before anything is sent to
// what may be no shell, and makes the shell that Ansible uses read the script. What
// repeats the command and runs nothing repeats the quotes, too.
const greeting = `echo;echo island-""shell;exec sh`

// command is the greeting as one word for whatever login shell the host has: csh
// takes no line break and no ! in quotes. It is called as Ansible calls its own
// commands, so that what such a shell does not let run here does not run there.
const command = "/bin/sh -c '" + greeting + "'"

// script is what runs on the host, by any POSIX shell. It tells what it does in
// lines that begin with island-. All of it has been read before it runs, and the
// probe is sent when the script has said that it is ready for it, so that no program
// can read ahead into what follows. Where a network loses what is sent, nobody tells
// the host that the other side has gone: so it waits for the probe only so long.
const script = `{
{ set +xv; } 2>/dev/null
set -f
umask 077
LC_ALL=C; export LC_ALL
d=
clean() { [ -z "$d" ] || rm -rf "$d"; d=; }
fail() { printf "%s " "island-fail" $*; echo; exit 1; }
# A probe that runs takes itself off the disk: one that is there yet was not let run.
ended() {
  case $1 in
  1 | 126 | 127) [ "$mode" = plain ] || [ ! -e "$d/island-probe" ] || fail no-sudo sudo-asks ;;
  esac
  echo "island-end $1"
}
trap clean EXIT
trap "exit 129" HUP INT TERM
limit=
if command -v timeout >/dev/null 2>&1; then limit="timeout 120"; fi
since=
{ read -r since rest </proc/uptime && read -r rest </proc/stat; } 2>/dev/null && since="$since $rest"
# Not as it would look where a shell repeats what it reads.
printf "\nisland-%s %s %s\n" hello "$(uname -sm)" "$(id -u)"
read -r size sum mode sudo || exit 0
pw=
if [ "$mode" = password ]; then IFS= read -r pw; fi
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
  if "$sudo" -n -k -u root /bin/sh -c true 2>/dev/null; then mode=sudo
  else err=$(printf "%s\n" "$pw" | "$sudo" -S -k -p "" -u root /bin/sh -c true 2>&1) || fail no-sudo sudo-refuses "$err"
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
# Ansible has a shell run as root: where a rule forbids that, it must not look well here.
sudo) "$sudo" -n -u root /bin/sh -c 'exec "$0" "$@"' "$d/island-probe" session --remove "$d" --since "$since" ;;
# cat ends with the input alone: that the probe has ended is said before.
password) { printf "%s\n" "$pw"; exec cat; } |
	{ "$sudo" -S -k -p "" -u root /bin/sh -c 'exec "$0" "$@"' "$d/island-probe" session --remove "$d" --since "$since"; ended $?; } ;;
*) "$d/island-probe" session --remove "$d" --since "$since" ;;
esac
[ "$mode" = password ] || ended $?
exit
}
`
