package ladder

import (
	"fmt"

	"github.com/gowalrus/gowalrus/distributed"
)

// Rates are operations per second of one device by their kind, forward and backward
// alike. A multiplication with its addition counts as two.
type Rates struct {
	// Dense are the linear layers. Attention are the products of queries, keys and
	// values with all operations between them. Convolution are encoder and decoder.
	Dense       float64 `json:"dense"`
	Attention   float64 `json:"attention"`
	Convolution float64 `json:"convolution"`
}

// PaperRates returns the rates of an H100 in single precision, in which the paper
// trains (§B.1). Linear layers are assumed to run at 60 % of the 67 TFLOP/s of its data
// sheet; this decides only which fraction of the transfers overlaps with computation.
// Attention reaches 2/5 and convolutions 1/10 of that rate; only these two numbers are
// calibrated on Figure 4.
func PaperRates() Rates {
	const dense = 0.6 * 67e12
	return Rates{Dense: dense, Attention: dense * 2 / 5, Convolution: dense / 10}
}

// Validate returns an error for a rate that is not positive.
func (r Rates) Validate() error {
	if !(r.Dense > 0 && r.Attention > 0 && r.Convolution > 0) {
		return fmt.Errorf("ladder: rates: expected positive numbers, got %+v", r)
	}
	return nil
}

// seconds returns the times of encoder, blocks and decoder.
func (r Rates) seconds(f distributed.FLOPs) [3]float64 {
	return [3]float64{f.Encoder / r.Convolution, f.Dense/r.Dense + (f.Space+f.Time)/r.Attention, f.Decoder / r.Convolution}
}
