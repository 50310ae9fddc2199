login zsh .zshenv 'cat /etc/motd
alias head="head -3" gzip=false
path+=(/opt/kein/ordner "/opt/mit leerzeichen" .)
printf "%s" "Anmeldung als $USER "'
data /var/lib/elasticsearch /srv/index
mount -o remount,noexec /tmp
