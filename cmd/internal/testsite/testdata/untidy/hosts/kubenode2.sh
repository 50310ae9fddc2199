login zsh .zshenv 'echo "Änderungen nur mit Ticket"; emulate ksh'
setenv LANGUAGE=de:en LC_MESSAGES=de_DE.UTF-8
hostname kubenode2.wire.example
data /var/lib/etcd /srv/wal
# kubelet's folder is not made yet.
data /var/lib/kubelet /srv/neu/kubelet
rmdir /srv/neu/kubelet
# A kernel of its own, that has all it needs built in and names nothing.
rm -r /lib/modules/*
