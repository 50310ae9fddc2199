package sandbox

import (
	"slices"
	"strings"
)

// layer is one of the walls around a worker. Each holds alone, and each may be
// missing: which there are is up to the operating system, and to who started this
// program in what.
type layer string

const (
	limits     layer = "limits"         // of memory, files and what may be written (setrlimit(2))
	privileges layer = "no new rights"  // nothing that is executed gains any (prctl(2), PR_SET_NO_NEW_PRIVS)
	calls      layer = "system calls"   // those alone that memory, threads and pipes need (seccomp(2))
	files      layer = "files"          // none, nor connections and signals outside (landlock(7))
	spaces     layer = "own namespaces" // of users, network, mounts, processes, IPC and names (namespaces(7))
)

// allLayers are in the order in which a worker puts them up; its namespaces the
// parent makes.
var allLayers = []layer{spaces, limits, privileges, files, calls}

// missing are the layers that a worker has not, each with the reason.
type missing map[layer]string

// join gives layers as one argument of a command line, and split takes them from
// one.
func join(layers []layer) string {
	var names []string
	for _, one := range layers {
		names = append(names, string(one))
	}
	return strings.Join(names, ",")
}

func split(names string) []layer {
	var layers []layer
	for name := range strings.SplitSeq(names, ",") {
		layers = append(layers, layer(name))
	}
	return layers
}

// text says what is missing, in the order of the layers; nothing if nothing is.
func (m missing) text() string {
	var all []string
	for _, one := range allLayers {
		if why, ok := m[one]; ok {
			all = append(all, string(one)+" ("+why+")")
		}
	}
	return strings.Join(all, ", ")
}

// check holds what a worker says against the layers that there are.
func (m missing) check() bool {
	for one, why := range m {
		if !slices.Contains(allLayers, one) || len(why) > maxReason {
			return false
		}
	}
	return true
}

// maxReason bounds in bytes why a layer is missing.
const maxReason = 200
