package preflight

import (
	"slices"
	"strings"
	"testing"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/preflight/internal/factstest"
)

// TestDiskNotRead: what could not be measured of a disk says why, once for each
// path, and nothing that was measured is lost for it.
func TestDiskNotRead(t *testing.T) {
	t.Parallel()
	const late = "facts.unread.late"
	hung := func(paths ...string) func(*facts.Facts) {
		return func(f *facts.Facts) {
			for i := range f.Paths {
				if p := &f.Paths[i]; slices.Contains(paths, p.Path) {
					p.FileSystem = facts.Value[facts.FileSystem]{Method: message.Plain("statfs(2)"), Unread: message.Of(late, nil)}
					p.Fsync = facts.Value[facts.Fsync]{Method: message.Plain("x"), Unread: message.Of(late, nil)}
				}
			}
		}
	}
	write := func(path, why string, root bool) func(*facts.Facts) {
		return func(f *facts.Facts) {
			f.Root = root
			for i := range f.Paths {
				if f.Paths[i].Path == path {
					f.Paths[i].Fsync = facts.Value[facts.Fsync]{Method: message.Plain("x"), Unread: message.Of(why, nil)}
				}
			}
		}
	}
	// Findings of disk.*, without those that passed.
	for name, test := range map[string]struct {
		groups []string
		change func(*facts.Facts)
		want   []string
		passed int
	}{
		"nothing hangs": {groups: []string{"kube-node", "etcd"}, change: func(*facts.Facts) {}, passed: 1 + 3*3 + 1},
		"one path hangs": {
			groups: []string{"kube-node", "etcd"}, change: hung("/var/lib/etcd"), passed: 2 * 2,
			want: []string{
				"error disk.size /var/lib/etcd: /var/lib/etcd could not be measured: not done in time",
				"skipped disk.free /var/lib/etcd: /var/lib/etcd could not be measured: not done in time",
				"skipped disk.fsync /var/lib/etcd: not measured on /var/lib/etcd: not done in time",
				"skipped disk.inodes /var/lib/etcd: /var/lib/etcd could not be measured: not done in time",
				"skipped disk.read-only /var/lib/etcd: /var/lib/etcd could not be measured: not done in time",
			},
		},
		"paths of two roles hang": {
			groups: []string{"cassandra", "elasticsearch"}, change: hung("/mnt/cassandra", "/var/lib/elasticsearch"),
			want: []string{
				"error disk.size /mnt/cassandra: /mnt/cassandra could not be measured: not done in time",
				"error disk.size /var/lib/elasticsearch: /var/lib/elasticsearch could not be measured: not done in time",
				"skipped disk.free /mnt/cassandra: /mnt/cassandra could not be measured: not done in time",
				"skipped disk.free /var/lib/elasticsearch: /var/lib/elasticsearch could not be measured: not done in time",
				"skipped disk.fsync /mnt/cassandra: not measured on /mnt/cassandra: not done in time",
				"skipped disk.inodes /mnt/cassandra: /mnt/cassandra could not be measured: not done in time",
				"skipped disk.inodes /var/lib/elasticsearch: /var/lib/elasticsearch could not be measured: not done in time",
				"skipped disk.read-only /mnt/cassandra: /mnt/cassandra could not be measured: not done in time",
				"skipped disk.read-only /var/lib/elasticsearch: /var/lib/elasticsearch could not be measured: not done in time",
			},
		},
		"no path is in the facts": {
			groups: []string{"cassandra"}, change: func(f *facts.Facts) { f.Paths = nil },
			want: []string{
				"error disk.size /mnt/cassandra: /mnt/cassandra could not be measured: not in the facts",
				"skipped disk.free /mnt/cassandra: /mnt/cassandra could not be measured: not in the facts",
				"skipped disk.fsync /mnt/cassandra: not measured on /mnt/cassandra: not in the facts",
				"skipped disk.inodes /mnt/cassandra: /mnt/cassandra could not be measured: not in the facts",
				"skipped disk.read-only /mnt/cassandra: /mnt/cassandra could not be measured: not in the facts",
			},
		},
		"the path was not asked for": {
			groups: []string{"cassandra"}, change: func(f *facts.Facts) { f.Paths = f.Paths[:1] },
			want: []string{"error disk.size /mnt/cassandra: the probe was not asked for /mnt/cassandra"},
		},
		"no role has the path that hangs": {
			groups: []string{"postgresql"},
			change: func(f *facts.Facts) {
				f.Paths = append(f.Paths, facts.Path{Path: "/var/lib/postgresql"})
				hung("/var/lib/postgresql")(f)
			},
			want: []string{"error disk.fsync /var/lib/postgresql: not measured on /var/lib/postgresql: not done in time"},
		},
		"a write hangs": {
			groups: []string{"cassandra"}, change: write("/mnt/cassandra", late, true), passed: 4,
			want: []string{"error disk.fsync /mnt/cassandra: not measured on /mnt/cassandra: not done in time"},
		},
		"a write hangs, without root": {
			groups: []string{"cassandra"}, change: write("/mnt/cassandra", late, false), passed: 4,
			want: []string{"error disk.fsync /mnt/cassandra: not measured on /mnt/cassandra: not done in time"},
		},
		"a write takes root": {
			groups: []string{"cassandra"}, change: write("/mnt/cassandra", facts.NoRoot, false), passed: 4,
			want: []string{"error disk.fsync /mnt/cassandra: not measured on /mnt/cassandra: not permitted without root; run it with --sudo"},
		},
		"no write was wished": {
			groups: []string{"cassandra"}, change: write("/mnt/cassandra", facts.NotAsked, false), passed: 4,
			want: []string{"skipped disk.fsync /mnt/cassandra: not measured on /mnt/cassandra: not asked for"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			host := factstest.GoodHost("h1", "10.0.0.1", test.groups...)
			test.change(host.Facts)
			r := judge(t, &facts.Survey{Hosts: []facts.Host{host}, Partial: true}, nil)
			var got []string
			passed := 0
			for _, f := range r.Findings {
				switch {
				case !strings.HasPrefix(f.ID, "disk."):
				case f.Outcome == Pass:
					passed++
				default:
					got = append(got, string(f.Outcome)+" "+f.ID+" "+english(f.Object)+": "+english(f.Sentence()))
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, test.want) || passed != test.passed {
				t.Errorf("%d passed, want %d; the others are\n%s\nwant\n%s", passed, test.passed, strings.Join(got, "\n"),
					strings.Join(test.want, "\n"))
			}
		})
	}
}
