// Package machine reports the memory of the machine and the usage of the process.
package machine

import (
	"math"
	"runtime/debug"
)

// Memory returns the bytes of memory that the process may use: the least of the machine's
// memory, the limit of its control group and GOMEMLIMIT. It returns 0 if none is known,
// which is so on systems other than Linux without GOMEMLIMIT.
func Memory() int64 {
	limits := append(system(), debug.SetMemoryLimit(-1)) // a negative limit changes nothing
	least := int64(math.MaxInt64)
	for _, n := range limits {
		if n > 0 {
			least = min(least, n)
		}
	}
	if least == math.MaxInt64 {
		return 0
	}
	return least
}
