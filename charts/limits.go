package charts

import "time"

// The limits on what is read from a chart. MaxUnpacked and MaxFile are those of
// the Helm that is linked (helm.sh/helm/v3/pkg/chart/loader): the island's
// refuses what exceeds them, when it is too late. Of the others, the largest real
// charts known stay an order of magnitude below each.
const (
	MaxArchive   = 64 << 20  // compressed bytes of a chart archive
	MaxUnpacked  = 100 << 20 // bytes of all files of one archive: as many are too many already
	MaxNested    = 256 << 20 // unpacked bytes of an archive and of the archives of subcharts inside it
	MaxFile      = 5 << 20   // bytes of one file, the archive of a subchart included
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
