package well

import "github.com/gowalrus/gowalrus/data"

// Options say what Open reads and how. The zero value reads everything as it
// is stored.
type Options struct {
	// Split is the folder below data/: "train", "valid" or "test". It is needed
	// for a data set with several splits and ignored for a file.
	Split string
	// Include keeps the files whose path contains one of these words, Exclude
	// drops those whose path contains one.
	Include, Exclude []string
	// Driver is the name of the HDF5 driver, DefaultDriver if empty.
	Driver string
	// Transforms are applied to every value of a field (paper §C.1). A field is
	// renamed: log10_density.
	Transforms []data.Transform
	// Normalization rescales fields, constant ones included, by the statistics.
	Normalization Normalization
	// Statistics is the path of the statistics for Normalization; empty stands
	// for stats.yaml of the data set.
	Statistics string
	// NonFinite says what becomes of NaN and infinite values.
	NonFinite NonFinite
	// CacheBytes bounds the memory that constant fields may keep; 0 stands for
	// 64 MiB.
	CacheBytes int64
}

// Normalization is a rescaling of fields by the statistics of a data set. The
// emulator and the trainer normalise on their own; this one is for other users
// of the data.
type Normalization int

const (
	// NoNormalization keeps physical units.
	NoNormalization Normalization = iota
	// ZScore is (x − mean) / max(std, 1e-4) per component.
	ZScore
	// RMS is x / max(rms, 1e-4) per component.
	RMS
)

// NonFinite says what Read does with values that are not finite.
type NonFinite int

const (
	// RefuseNonFinite makes them an error that names the place.
	RefuseNonFinite NonFinite = iota
	// ReplaceNonFinite does what the release's formatter does: NaN becomes 0,
	// infinities the largest float32 of their sign.
	ReplaceNonFinite
	// KeepNonFinite returns them.
	KeepNonFinite
)
