package mapping

import (
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"github.com/gowalrus/gowalrus/internal/machine"
)

// A file may declare arrays that it does not store. So the default budget grows with the
// size of the files, as in package well.
const (
	leastMemory = 256 << 20
	perByte     = 256
)

// defaultBudget returns the budget for the files of units.
func defaultBudget(units []*unit) int64 {
	most := int64(math.MaxInt64)
	if n := machine.Memory(); n > 0 {
		most = n / 2
	}
	var size int64
	for _, u := range units {
		for _, step := range u.steps {
			for _, path := range step.paths {
				if size += sizeOf(path); size >= most/perByte {
					return most
				}
			}
		}
	}
	return min(max(leastMemory, perByte*size), most)
}

// maxSized bounds the files of a Zarr store whose sizes are added.
const maxSized = 1 << 16

// sizeOf returns the size of a file, or of the files in a folder.
func sizeOf(path string) (size int64) {
	left := maxSized
	_ = filepath.WalkDir(path, func(p string, e fs.DirEntry, err error) error {
		if left--; err != nil || left < 0 {
			return fs.SkipAll
		}
		if info, err := os.Stat(p); err == nil && !info.IsDir() {
			size += info.Size()
		}
		return nil
	})
	return size
}

// keep reserves memory for n numbers of coordinates, times or scalars.
func (d *Dataset) keep(u *unit, n int) error {
	if n > maxSmall || int64(4*n) > d.budget-d.used {
		e := d.schema.fault("files", "expected at most %d coordinates, times or numbers of a parameter, and %d bytes for those of all files (Options.MemoryBytes), got %d more", maxSmall, d.budget, n)
		e.File = u.first()
		return e
	}
	d.used += int64(4 * n)
	return nil
}
