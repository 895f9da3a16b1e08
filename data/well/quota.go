package well

import (
	"fmt"
	"math"

	"github.com/gowalrus/gowalrus/internal/machine"
)

// A file may declare arrays that it does not store. So the default budget grows with the
// size of the files; values that are stored 256 times smaller than in memory still fit.
const (
	leastMemory = 256 << 20
	perByte     = 256
)

// MemoryError says that a data set needs more memory than [Options.MemoryBytes] allows.
type MemoryError struct {
	// What names the values.
	What         string
	Need, Budget int64
}

func (e *MemoryError) Error() string {
	return fmt.Sprintf("%s: expected values of at most %d bytes (Options.MemoryBytes; by default %d MiB or %d times the size of the files, and at most half of the machine's memory), got %d",
		e.What, e.Budget, leastMemory>>20, perByte, e.Need)
}

// quota bounds the memory of a data set.
type quota struct {
	budget int64
	used   int64 // bytes that stay in memory while the data set is open
}

// newQuota returns the quota of an option for files of the given size in bytes.
func newQuota(budget, size int64) *quota {
	if budget > 0 {
		return &quota{budget: budget}
	}
	budget = max(leastMemory, multiply(perByte, size))
	if n := machine.Memory(); n > 0 {
		budget = min(budget, n/2)
	}
	return &quota{budget: budget}
}

// multiply returns the product of positive numbers, or the largest integer if the product
// is larger.
func multiply(numbers ...int64) int64 {
	n := int64(1)
	for _, x := range numbers {
		if x > 0 && n > math.MaxInt64/x {
			return math.MaxInt64
		}
		n *= x
	}
	return n
}

// check returns an error unless values fit in addition to those that stay in memory.
func (q *quota) check(what string, bytes int64) error {
	if bytes > q.budget-q.used {
		return &MemoryError{what, bytes, q.budget - q.used}
	}
	return nil
}

// keep is check for values that stay in memory.
func (q *quota) keep(what string, bytes int64) error {
	err := q.check(what, bytes)
	if err == nil {
		q.used += bytes
	}
	return err
}
