package site

import "slices"

// Role names what a virtual machine is for. The names are stable: site
// documents, facts and findings use them.
type Role string

// The roles that a table may have.
const (
	Cassandra     Role = "cassandra"
	MinIO         Role = "minio"
	Elasticsearch Role = "elasticsearch"
	PostgreSQL    Role = "postgresql"
	RabbitMQ      Role = "rabbitmq"
	Kubernetes    Role = "kubernetes"
	Calling       Role = "calling" // a second Kubernetes cluster, for calls
	Restund       Role = "restund"
	Coturn        Role = "coturn"
	AdminHost     Role = "admin-host"
	AssetHost     Role = "asset-host"
	DemoMachine   Role = "demo-machine"
)

// Roles returns every role there is, in the order in which reports list them.
func Roles() []Role {
	return []Role{
		Cassandra, MinIO, Elasticsearch, PostgreSQL, RabbitMQ, Kubernetes, Calling, Restund, Coturn, AdminHost, AssetHost, DemoMachine,
	}
}

// Known reports whether the role is one of [Roles].
func (r Role) Known() bool { return slices.Contains(Roles(), r) }
