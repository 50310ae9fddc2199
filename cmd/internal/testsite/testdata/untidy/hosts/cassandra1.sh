login fish .config/fish/config.fish 'cat /etc/motd
set -gx EDITOR vi
echo "fish: Größe des Verlaufs überschritten" >&2
printf "%% "'
data /mnt/cassandra /srv/daten/cassandra
bound /srv/daten
# Its sudo asks.
echo tech:geheim-genug | chpasswd -c SHA256
sed -i 's/NOPASSWD: //' /etc/sudoers.d/tech
