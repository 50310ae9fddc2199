package sizing

import (
	"cmp"
	"math"
	"slices"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/sizing/site"
)

// defaultKeep is how many bundles are kept where a site leaves it open: of the release
// that runs, and the one before it.
const defaultKeep = 2

// bundleSize returns what a bundle takes on the asset host, and whether that is
// exact. 0 is not known.
func (c *calculation) bundleSize() Figure {
	figureOf := func(size manifests.Bytes, bound Bound, how, source string) Figure {
		return figure("bundle.size", int64(size), UnitBytes, bound, say("figure.bundle.size."+how, nil), source)
	}
	switch {
	case c.site.Bundle.Size > 0:
		return figureOf(c.site.Bundle.Size.Bytes(), Exactly, "given", "site")
	case c.footprint != nil:
		return figureOf(c.footprint.Contents, AtLeast, "lock", "lock")
	default:
		return figureOf(0, Unknown, "unknown", "site")
	}
}

// imagesCompressed returns what images take on a node as they are fetched. 0 is
// not known.
func (c *calculation) imagesCompressed() Figure {
	const id = "images.compressed"
	switch {
	case c.footprint != nil:
		blobs := say("figure.images.compressed.lock", args{"images": c.footprint.Images, "platform": c.footprint.Platform.String()})
		return figure(id, int64(c.footprint.Compressed), UnitBytes, Exactly, blobs, "lock")
	case c.site.Bundle.ImagesCompressed > 0:
		return figure(id, int64(c.site.Bundle.ImagesCompressed), UnitBytes, Exactly, say("figure.images.compressed.given", nil), "site")
	default:
		return figure(id, 0, UnitBytes, Unknown, say("figure.images.compressed.unknown", nil), "site")
	}
}

// imagesUnpacked returns what images take on a node unpacked. 0 is not known.
func (c *calculation) imagesUnpacked(compressed Figure) Figure {
	const id = "images.unpacked"
	factor := c.factor(Unpacked, "")
	switch {
	case c.site.Bundle.ImagesUnpacked > 0:
		return figure(id, int64(c.site.Bundle.ImagesUnpacked), UnitBytes, Exactly, say("figure.images.unpacked.given", nil), "site")
	case factor != nil && compressed.Bound != Unknown:
		value := int64(math.Ceil(float64(compressed.Value) * factor.Value / 100))
		formula := say("figure.images.unpacked.factor", args{"compressed": compressed.Shown, "percent": factor.Value})
		f := figure(id, value, UnitBytes, AtMost, formula, "site")
		f.Label = say("figure.images.unpacked.own", nil)
		return f
	default:
		return figure(id, 0, UnitBytes, Unknown, say("figure.images.unpacked.unknown", nil), "island")
	}
}

// storage returns what disks hold, now and over time.
func (c *calculation) storage() *Storage {
	s := &Storage{Series: []Series{}, Months: c.months()}
	bundle := c.bundleSize()
	keep := cmp.Or(c.site.Bundle.Keep, defaultKeep)
	kept := say("figure.asset-host.bundles.formula", args{"bundles": keep, "size": bundle.Shown})
	compressed := c.imagesCompressed()
	unpacked := c.imagesUnpacked(compressed)
	s.Figures = []Figure{
		bundle,
		figure("asset-host.bundles", bundle.Value*int64(keep), UnitBytes, bundle.Bound, kept, bundle.Sources...),
		compressed, unpacked, nodeFigure(compressed, unpacked),
	}
	if bundle.Value > 0 {
		if capacity := c.diskOf(site.AssetHost); capacity > 0 {
			s.Series = append(s.Series, c.assetSeries(bundle, capacity, keep, s.Months))
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
func nodeFigure(compressed, unpacked Figure) Figure {
	bound := AtLeast
	switch {
	case compressed.Bound == Unknown:
		bound = Unknown
	case unpacked.Bound != Unknown:
		bound = unpacked.Bound
	}
	return figure("node.images", compressed.Value+unpacked.Value, UnitBytes, bound,
		say("figure.node.images.formula", args{"compressed": compressed.Shown, "unpacked": unpacked.Shown}), "containerd")
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
func (c *calculation) assetSeries(bundle Figure, capacity manifests.Bytes, keep, months int) Series {
	every := c.table.Rules.Releases.Months
	title := say("series.asset-host.title", nil)
	s := Series{
		ID: "asset-host", Title: title, Name: title, Capacity: capacity, FullIn: -1,
		Formula: say("series.asset-host.formula", args{"size": bundle.Value, "every": every.Value, "kept": keep}),
		Sources: refers(append(slices.Clone(bundle.Sources), every.Source)...),
	}
	for month := range months + 1 {
		s.add(manifests.Bytes(bundle.Value) * manifests.Bytes(min(keep, 1+month/int(every.Value))))
	}
	return s
}

// growthSeries follows a role's disk by a factor of the customer's own.
func (c *calculation) growthSeries(row Row, factor Factor, months int) Series {
	disk, _ := row.Disk.Most()
	name := c.roleName(row.Role)
	s := Series{
		ID: string(row.Role), Title: say("series.own.title", args{"role": name}), Name: name, Capacity: disk.Bytes(), FullIn: -1,
		Formula: say("series.own.formula", args{"megabytes": factor.Value, "growth": int64(c.site.Growth.UsersPerYear)}),
		Sources: []string{"site"},
	}
	used := 0.0
	s.add(0)
	for month := 1; month <= months; month++ {
		used += c.site.UsersAfter(month) * factor.Value * 1e6
		s.add(manifests.Bytes(math.Min(used, 1<<60)))
	}
	return s
}

func (s *Series) add(used manifests.Bytes) {
	if used > s.Capacity && s.FullIn < 0 {
		s.FullIn = len(s.Used)
	}
	s.Used = append(s.Used, used)
}
