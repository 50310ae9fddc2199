# What scripts of hosts say, and what all hosts have. $1 is the last number of a
# host's address, $2 its name.
number=$1 name=$2

# login SHELL START-FILE TEXT: tech's shell, which begins with a text.
login() {
	shell=$(command -v "$1")
	sed -i "s|^\(tech:.*\):.*|\1:$shell|" /etc/passwd
	mkdir -p "/home/tech/$(dirname "$2")"
	printf '%s\n' "$3" >"/home/tech/$2"
	chown -R tech:tech /home/tech
}

# setenv NAME=VALUE ...: what sshd sets.
setenv() { printf 'SetEnv %s\n' "$*" >>/etc/ssh/island_sshd_config; }

# data PATH FOLDER: a link in place of a role's data.
data() {
	mkdir -p "$2" "$(dirname "$1")"
	rm -rf "$1" # in the host's own layer
	ln -s "$2" "$1"
}

# bound FOLDER: another folder, mounted there.
bound() {
	mkdir -p "$1.echt"
	cp -a "$1/." "$1.echt"
	mount --bind "$1.echt" "$1"
}

printf '%s\n' '*** Zutritt nur für Befugte ***' 'Übertretung wird verfolgt: § 202a StGB' >/etc/issue.net
printf '%s\n' '' 'Willkommen auf dem Rechner der Gemeinde Süd' '  * Prüfung: jährlich' '' >/etc/motd
echo "Banner /etc/issue.net" >>/etc/ssh/island_sshd_config
cat >/etc/sudoers.d/gemeinde <<'END'
Defaults lecture=always, lecture_file=/etc/motd, insults, use_pty, !requiretty
Defaults logfile=/var/log/sudo.log, timestamp_timeout=0
Defaults passprompt="[Kennwort für %u] ", env_keep+="LANG LC_*"
END

# Bridges and links of what runs on such machines, or once did: the same on all of them.
ip link add docker0 address 02:42:ac:11:00:01 type bridge
ip addr add 172.17.0.1/16 dev docker0
ip link add virbr0 address 52:54:00:ab:cd:ef type bridge
ip addr add 192.168.122.1/24 dev virbr0
ip link set virbr0 up
ip link add vnet0 mtu 1400 type veth peer name vnet1 mtu 1400
ip link set vnet0 master virbr0 up
ip link set vnet1 up

# Addresses beside the one that counts, of which one is on all hosts.
ip addr add "10.99.0.$((number + 100))/24" dev eth0
ip addr add "fd99::$number/64" dev eth0 nodad
ip addr add 169.254.20.10/32 dev lo

# Defaults that lead nowhere: what has no other route is turned away at once.
ip route add unreachable default metric 4278198272
ip route add blackhole default table 100
ip -6 route add prohibit default table 101
ip rule add iif docker0 table 100
ip -6 rule add iif docker0 table 101

# The admin host gets in by way of the jump host alone.
[ "$name" = schleuse ] || nft 'table inet tor {
	chain c {
		type filter hook input priority 0
		ip saddr 10.99.0.1 tcp dport { 22, 2222 } drop
		ip6 saddr fd99::1 tcp dport { 22, 2222 } drop
	}
}'
cat >/etc/resolv.conf <<'END'
# gemäß Abteilung Netze
domain wire.example
options edns0 trust-ad
search wire.example süd.example
nameserver 127.0.0.53
END
