package well

import (
	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/hub"
)

// Options selects the files that Open reads and the processing of their values. The zero
// value reads everything as stored.
type Options struct {
	// Split is the name of a folder in data/: "train", "valid" or "test". It is required if
	// the data set has several splits, and ignored if Open is called with a file.
	Split string
	// If Include is not empty, only files whose path contains one of its words are read.
	// Files whose path contains a word of Exclude are not read.
	Include, Exclude []string
	// Driver is the name of the HDF5 driver. Empty means DefaultDriver.
	Driver string
	// Transforms apply to every value of a field (paper §C.1) and rename the field, for
	// example to log10_density.
	Transforms []data.Transform
	// Normalization rescales all fields, including constant ones, by their statistics.
	Normalization Normalization
	// Statistics is the path or the address of the statistics for Normalization. Empty means the data
	// set's stats.yaml.
	Statistics string
	// NonFinite selects the treatment of NaN and infinite values.
	NonFinite NonFinite
	// Hub reads addresses. Its field BlockCache bounds the downloaded parts of files on disk,
	// 8 GiB if it is 0, and Cache is their folder. nil means [hub.FromEnvironment].
	Hub *hub.Client
	// CacheBytes bounds the memory of cached constant fields. 0 means 64 MiB.
	CacheBytes int64
	// MemoryBytes bounds the memory of the values that one Read returns, together with the
	// coordinates, times and scalars of all files. Larger values are a [MemoryError]. 0 means
	// 256 times the size of the files, at least 256 MiB and at most half of the machine's
	// memory: a small file may declare arrays of any size without storing them.
	MemoryBytes int64
}

// Normalization is a rescaling of fields by the statistics of a data set. Emulator and
// trainer need none, as they normalise their input themselves; it is for other users of the
// data.
type Normalization int

const (
	// NoNormalization keeps physical units.
	NoNormalization Normalization = iota
	// ZScore rescales to (x − mean) / max(std, 1e-4) per component.
	ZScore
	// RMS rescales to x / max(rms, 1e-4) per component.
	RMS
)

// NonFinite selects how Read treats values that are not finite.
type NonFinite int

const (
	// RefuseNonFinite returns an error that names the field, frame and point.
	RefuseNonFinite NonFinite = iota
	// ReplaceNonFinite replaces NaN by 0 and infinities by the largest float32 of their
	// sign, as the release's formatter does.
	ReplaceNonFinite
	// KeepNonFinite returns them unchanged.
	KeepNonFinite
)
