package charts

import "time"

// The limits on what is read from a chart. The largest real charts known stay
// an order of magnitude below each of them; Helm's own limits are 100 MiB
// unpacked and 5 MiB a file (helm.sh/helm/v3/pkg/chart/loader).
const (
	MaxArchive   = 64 << 20  // compressed bytes of a chart archive
	MaxUnpacked  = 256 << 20 // unpacked bytes, archives of subcharts inside it included
	MaxFile      = 20 << 20  // bytes of one file
	MaxFiles     = 20_000    // entries of an archive or folder, folders and subcharts included
	MaxNameBytes = 1024      // bytes of one entry's name
	MaxNesting   = 16        // archives of subcharts inside archives
	MaxFolders   = 64        // folders inside folders, in a chart read from a folder
)

// The limits on rendering one chart with one set of values.
const (
	MaxRenderTime    = 2 * time.Minute
	MaxRenderedBytes = 64 << 20 // bytes of everything rendered
	MaxDocuments     = 20_000   // YAML documents rendered
	MaxValues        = 16 << 20 // bytes of one values file
)
