package hdf5

import "fmt"

// quota counts the bytes of parts of a file that must not overlap. Together they cannot
// have more bytes than the file, so a damaged file with overlapping parts is detected
// before it costs time or memory beyond its size.
type quota struct {
	f    *File
	used uint64
}

// take counts n bytes.
func (q *quota) take(n uint64) error {
	if n > uint64(q.f.size)-q.used {
		return fmt.Errorf("parts overlap: together they have more bytes than the file")
	}
	q.used += n
	return nil
}

// block counts the bytes of a structure and reads it as File.block does.
func (q *quota) block(address, n uint64, what string) (*cursor, error) {
	if err := q.take(n); err != nil {
		return nil, fmt.Errorf("%s at %#x: %w", what, address, err)
	}
	return q.f.block(address, n, what)
}
