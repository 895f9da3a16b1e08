// Package enginetest tests implementations of distributed.Engine.
package enginetest

import (
	"fmt"

	"github.com/gowalrus/gowalrus/distributed"
)

// Check runs all checks on an engine. It is collective: all processes of a run call it.
func Check(e distributed.Engine) error {
	for _, c := range []struct {
		name  string
		check func(distributed.Engine) error
	}{
		{"sums of all sizes", sums},
		{"sums of random numbers", sameBits},
		{"overlapping sums", overlapping},
		{"broadcast", broadcasts},
		{"barrier", barriers},
		{"barrier with an ended context", endedBarrier},
		{"barrier with a context that ends meanwhile", impatientBarrier},
	} {
		if err := c.check(e); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return nil
}
