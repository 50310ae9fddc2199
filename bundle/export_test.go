package bundle

// For tests outside of the package.
var (
	Pad              = pad
	BlankSlot        = blankSlot
	IsBlankSlot      = isBlankSlot
	EmptyTrustedRoot = emptyTrustedRoot
	PairLayers       = pairLayers
)
