package bundle

// LimitOfType returns how large a file may be on a file system of a type, 0 if
// nothing is known of it.
func LimitOfType(magic int64) int64 {
	limit, _ := limitOfType(magic)
	return limit.bytes
}
