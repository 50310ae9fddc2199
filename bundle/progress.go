package bundle

// Progress is told how far a job on a bundle is. Its methods are called from
// several goroutines at once.
type Progress interface {
	Total(bytes int64)  // once, before anything else
	Reused(bytes int64) // found done from an earlier run
	Done(bytes int64)   // just done
}

type silent struct{}

func (silent) Total(int64)  {}
func (silent) Reused(int64) {}
func (silent) Done(int64)   {}

func orSilent(p Progress) Progress {
	if p == nil {
		return silent{}
	}
	return p
}
