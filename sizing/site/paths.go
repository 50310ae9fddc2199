package site

// rolePaths are where roles keep their data (wireapp/wire-server-deploy 5.32,
// and the packages' own defaults).
var rolePaths = map[Role][]string{
	Cassandra:     {"/mnt/cassandra"},
	MinIO:         {"/var/lib/minio-server1", "/var/lib/minio-server2"},
	Elasticsearch: {"/var/lib/elasticsearch"},
	PostgreSQL:    {"/var/lib/postgresql"},
	RabbitMQ:      {"/var/lib/rabbitmq"},
	Kubernetes:    {"/var/lib/containerd", "/var/lib/kubelet", "/var/lib/etcd"},
	AssetHost:     {"/opt/assets"},
	DemoMachine:   {"/"},
}

// DataPaths returns the paths of a role's data: those that the site names, else
// the usual ones; the root folder where none are known.
func (s *Site) DataPaths(role Role) []string {
	if own := s.Preflight.Paths[string(role)]; len(own) > 0 {
		return own
	}
	if paths := rolePaths[role]; len(paths) > 0 {
		return paths
	}
	return []string{"/"}
}

// FsyncPaths returns the paths of a host's data that wait for the disk with each
// write, by the groups that it is in.
func (s *Site) FsyncPaths(groups []string) []string {
	paths := []string{}
	for _, data := range []struct {
		groups, paths []string
	}{
		{[]string{"etcd", MasterGroup}, []string{"/var/lib/etcd"}},
		{[]string{"cassandra"}, s.DataPaths(Cassandra)},
		{[]string{"postgresql"}, s.DataPaths(PostgreSQL)},
	} {
		if InAny(groups, data.groups) {
			paths = append(paths, data.paths...)
		}
	}
	return paths
}
