login fish .config/fish/conf.d/gruss.fish 'echo (date)" Wartung jeden 2. Dienstag"'
setenv PATH=/opt/alt/bin:/usr/bin:/bin: HISTFILE=/dev/null
data /var/lib/containerd /srv/container
# The node ports are kept free by name.
sysctl -qw net.ipv4.ip_local_port_range='20000 60999' net.ipv4.ip_local_reserved_ports=30000-32767,51820
