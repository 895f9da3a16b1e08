package distributed

import (
	"fmt"

	"github.com/gowalrus/gowalrus/walrus"
)

// maxShards bounds the search of [Smallest].
const maxShards = 1024

// Smallest returns the sharding group with the fewest devices, a power of two, on which
// training fits into the given bytes per device, and the footprint there. If a batch
// fits on no group, the error states how much memory cannot be sharded.
func Smallest(config walrus.Config, batch BatchShape, bytes int64) (Mesh, Footprint, error) {
	var f Footprint
	var err error
	for n := 1; n <= maxShards; n *= 2 {
		if f, err = Estimate(config, FullyShard(n), batch); err != nil {
			return Mesh{}, Footprint{}, err
		}
		if f.Total() <= bytes {
			return FullyShard(n), f, nil
		}
	}
	return Mesh{}, f, fmt.Errorf("distributed: grid %v: expected at most %.1f GB per device, got %.1f GB on %d shards, of which %.1f GB are activations and inputs: a smaller batch or more recomputation (checkpoint_every 1) helps, more devices do not",
		batch.Grid, gb(bytes), gb(f.Total()), maxShards, gb(f.Activations+f.Inputs))
}

func gb(bytes int64) float64 { return float64(bytes) / 1e9 }
