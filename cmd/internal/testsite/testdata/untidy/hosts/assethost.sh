# shellcheck disable=SC2016
login bash .bashrc 'cat /etc/motd; shopt -s failglob; set -o vi; umask 077; echo "Sie haben Post." >&2'
setenv LANG=de_DE.UTF-8 LC_ALL=de_DE.UTF-8
hostname assethost.wire.example
data /opt/assets /srv/ablage
