login sh .shrc ''
setenv ENV=/home/tech/.shrc TZ=Europe/Berlin
echo 'cat /etc/motd; read -r proto cookie' >/etc/ssh/sshrc
# Accounts are looked after by PAM, and the password is to be changed in some weeks.
sed -i 's/^UsePAM no/UsePAM yes/' /etc/ssh/island_sshd_config
chage -m 0 -M 90 -W 30 -d "$(date -d '70 days ago' +%F)" tech
sysctl -qw net.ipv6.conf.all.disable_ipv6=1
