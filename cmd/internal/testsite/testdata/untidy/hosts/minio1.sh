# Nobody has made a home, and what is run is written down first.
login sh .profile ''
rm -r /home/tech
cat >/usr/local/bin/aufzeichnung <<'END'
#!/bin/sh
cat /etc/motd
echo "$(date) $USER $SSH_CONNECTION" >>/tmp/aufzeichnung
eval "${SSH_ORIGINAL_COMMAND:-exec sh}"
END
chmod 755 /usr/local/bin/aufzeichnung
printf '%s\n' 'ForceCommand /usr/local/bin/aufzeichnung' 'MaxSessions 1' 'RekeyLimit 1M' 'AllowUsers tech' >>/etc/ssh/island_sshd_config
mkdir -m 1777 /srv/kein-exec
mount -t tmpfs -o noexec,mode=1777 tmpfs /srv/kein-exec
setenv TMPDIR=/srv/kein-exec TMOUT=30
data /var/lib/minio-server1 /srv/platte1/minio
data /var/lib/minio-server2 /srv/platte2/minio
bound /srv/platte1
# It answers no echoes.
nft 'table inet stumm { chain c { type filter hook input priority 0; icmp type echo-request drop; icmpv6 type echo-request drop; }; }'
