package walrus

import (
	"github.com/gomlx/compute"

	"github.com/gowalrus/gowalrus/data"
)

// LoadOptions configure [LoadWeights]. The zero value loads into host memory
// and accepts only a file that holds exactly the network's tensors.
type LoadOptions struct {
	// Backend is the backend on whose first device each tensor is placed as soon as it
	// is read, so that the peak of memory is the network, one tensor and little more.
	// Nil keeps the weights in host memory; programs move them to their device when
	// they first use them.
	Backend compute.Backend
	// Weights is the type in which matrices and kernels are held in memory; the zero value is
	// float32. Each tensor is converted as soon as it is read. Weights in a shorter type are
	// for emulators ([EmulatorOptions.Weights]); they cannot be trained or changed.
	Weights Precision

	// Source is the field registry of the file, if it is not the configuration's.
	// The columns of fields in both registries are then moved to their new indices.
	// As in the release, encoder columns are multiplied by
	// √(states in the file / states in the network), and fields that only the
	// configuration has get initial values (docs/reference.md §12). The zero value
	// means the configuration's registry.
	Source data.Registry

	// AllowMissing gives initial values to tensors that the file lacks,
	// AllowMismatched to tensors whose shape differs. AllowUnexpected ignores
	// tensors that the network does not have. Otherwise these tensors are errors.
	AllowMissing, AllowUnexpected, AllowMismatched bool
	// SkipCRC does not compare the CRC-32 of the tensors of a .pt file. It is for files that
	// torch wrote with set_crc32_options(False), and saves a little time.
	SkipCRC bool
	// AllowNonFinite accepts NaN and infinities.
	AllowNonFinite bool

	// Seed is the seed of initial values.
	Seed uint64
}
