package sizing

import (
	"cmp"
	"math"

	"github.com/islandbundle/island/sizing/site"

	"github.com/islandbundle/island/manifests"
)

// Defaults of what a site leaves open.
const (
	defaultMonths = 36
	defaultKeep   = 2 // the release that runs, and the one before it
)

// bundleSize returns what a bundle takes on the asset host, and whether that is
// exact. 0 is not known.
func (c *calculation) bundleSize() (manifests.Bytes, Bound, string, string) {
	l := c.lang
	switch {
	case c.site.Bundle.Size > 0:
		return c.site.Bundle.Size.Bytes(), Exactly, l.T("size of the bundle, as given", "Größe des Bundles, wie angegeben"), "site"
	case c.footprint != nil:
		return c.footprint.Contents, AtLeast, l.T("all charts, files and blobs of the lock, each once; headers and tools come on top", "alle Charts, Dateien und Blobs des Locks, je einmal; Kopfdaten und Werkzeuge kommen hinzu"), "lock"
	default:
		return 0, Unknown, l.T("give a lock, or bundle.size", "einen Lock oder bundle.size angeben"), "site"
	}
}

// imageSizes returns what images take on a node, compressed and unpacked. 0 is not
// known.
func (c *calculation) imageSizes() (compressed, unpacked Figure) {
	l := c.lang
	id, label := "images.compressed", l.T("Images of the release, compressed", "Images des Releases, komprimiert")
	switch {
	case c.footprint != nil:
		compressed = c.figure(id, label, int64(c.footprint.Compressed), UnitBytes, Exactly, l.F("blobs of %s images for %s, each once", "Blobs von %s Images für %s, je einmal", number(l, c.footprint.Images), c.footprint.Platform), "lock")
	case c.site.Bundle.ImagesCompressed > 0:
		compressed = c.figure(id, label, int64(c.site.Bundle.ImagesCompressed), UnitBytes, Exactly, l.T("as given", "wie angegeben"), "site")
	default:
		compressed = c.figure(id, label, 0, UnitBytes, Unknown, l.T("give a lock, or bundle.imagesCompressed", "einen Lock oder bundle.imagesCompressed angeben"), "site")
	}
	id, label = "images.unpacked", l.T("Images of the release, unpacked", "Images des Releases, entpackt")
	factor := c.factor(Unpacked, "")
	switch {
	case c.site.Bundle.ImagesUnpacked > 0:
		unpacked = c.figure(id, label, int64(c.site.Bundle.ImagesUnpacked), UnitBytes, Exactly, l.T("measured on a node, as given", "auf einem Knoten gemessen, wie angegeben"), "site")
	case factor != nil && compressed.Bound != Unknown:
		value := int64(math.Ceil(float64(compressed.Value) * factor.Value / 100))
		unpacked = c.figure(id, label+l.T(", by your own factor", ", nach eigenem Faktor"), value, UnitBytes, AtMost, l.F("%s × %s%%", "%s × %s %%", compressed.Shown, l.Decimal(factor.Value, 1)), "site")
	default:
		unpacked = c.figure(id, label, 0, UnitBytes, Unknown, l.T("no lock says it; measure it on a node and give bundle.imagesUnpacked, or a factor of your own in a table", "kein Lock sagt es; auf einem Knoten messen und bundle.imagesUnpacked angeben, oder einen eigenen Faktor in einer Tabelle"), "island")
	}
	return compressed, unpacked
}

// storage returns what disks hold, now and over time.
func (c *calculation) storage() *Storage {
	l := c.lang
	s := &Storage{Series: []Series{}, Months: cmp.Or(c.site.Growth.Months, defaultMonths)}
	size, bound, formula, source := c.bundleSize()
	keep := cmp.Or(c.site.Bundle.Keep, defaultKeep)
	compressed, unpacked := c.imageSizes()
	s.Figures = []Figure{
		c.figure("bundle.size", l.T("The bundle", "Das Bundle"), int64(size), UnitBytes, bound, formula, source),
		c.figure("asset-host.bundles", l.T("Bundles kept on the asset host", "Aufbewahrte Bundles auf dem Asset-Host"), int64(size)*int64(keep), UnitBytes, bound, l.F("%s bundles × %s", "%s Bundles × %s", number(l, keep), c.figure("", "", int64(size), UnitBytes, bound, "").Shown), source),
		compressed, unpacked, c.nodeFigure(compressed, unpacked),
	}
	if size > 0 {
		if capacity := c.diskOf(site.AssetHost); capacity > 0 {
			s.Series = append(s.Series, c.assetSeries(size, capacity, keep, s.Months, source))
		}
	}
	for _, row := range c.table.Rows {
		if factor := c.factor(StoragePerUser, row.Role); factor != nil {
			s.Series = append(s.Series, c.growthSeries(row, *factor, s.Months))
		}
	}
	return s
}

// nodeFigure returns what a Kubernetes node needs for the images: containerd
// keeps what it fetched and what it unpacked.
func (c *calculation) nodeFigure(compressed, unpacked Figure) Figure {
	l := c.lang
	bound := AtLeast
	switch {
	case compressed.Bound == Unknown:
		bound = Unknown
	case unpacked.Bound != Unknown:
		bound = unpacked.Bound
	}
	return c.figure("node.images", l.T("All images on one Kubernetes node", "Alle Images auf einem Kubernetes-Knoten"), compressed.Value+unpacked.Value, UnitBytes, bound,
		l.F("compressed %s + unpacked %s: any pod may run on any node, and containerd keeps both", "komprimiert %s + entpackt %s: jeder Pod kann auf jedem Knoten laufen, und containerd behält beides", compressed.Shown, unpacked.Shown), "containerd")
}

// diskOf returns the disk of one machine of a role.
func (c *calculation) diskOf(role site.Role) manifests.Bytes {
	for _, r := range c.table.Requirements() {
		if r.Role == role {
			return r.Disk
		}
	}
	return 0
}

// assetSeries follows the asset host: a bundle with each release, until as many
// as are kept are there.
func (c *calculation) assetSeries(size, capacity manifests.Bytes, keep, months int, source string) Series {
	l, every := c.lang, c.table.Rules.Releases.Months
	s := Series{
		ID: "asset-host", Title: l.T("Asset host: bundles", "Asset-Host: Bundles"), Capacity: capacity, FullIn: -1,
		Formula: l.F("%s for each release, one every %s months, %s kept", "%s je Release, eines alle %s Monate, %s aufbewahrt", l.GB(int64(size)), l.Int(every.Value), number(l, keep)),
		Sources: refers(source, every.Source),
	}
	for month := range months + 1 {
		s.add(size * manifests.Bytes(min(keep, 1+month/int(every.Value))))
	}
	return s
}

// growthSeries follows a role's disk by a factor of the customer's own.
func (c *calculation) growthSeries(row Row, factor Factor, months int) Series {
	l := c.lang
	disk, _ := row.Disk.Most()
	s := Series{
		ID: string(row.Role), Title: c.roleName(row.Role) + l.T(", by your own factor", ", nach eigenem Faktor"), Capacity: disk.Bytes(), FullIn: -1,
		Formula: l.F("users × %s MB a month on each machine; users grow by %s a year", "Nutzer × %s MB im Monat auf jeder Maschine; Nutzer wachsen um %s im Jahr", l.Decimal(factor.Value, 2), l.Percent(int64(c.site.Growth.UsersPerYear))),
		Sources: []string{"site"},
	}
	used := 0.0
	s.add(0)
	for month := 1; month <= months; month++ {
		used += c.usersAfter(month) * factor.Value * 1e6
		s.add(manifests.Bytes(math.Min(used, 1<<60)))
	}
	return s
}

// usersAfter returns the users after some months of growth.
func (c *calculation) usersAfter(months int) float64 {
	return float64(c.site.Users) * math.Pow(1+float64(c.site.Growth.UsersPerYear)/100, float64(months)/12)
}

func (s *Series) add(used manifests.Bytes) {
	if used > s.Capacity && s.FullIn < 0 {
		s.FullIn = len(s.Used)
	}
	s.Used = append(s.Used, used)
}
