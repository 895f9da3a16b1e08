package ladder

import (
	"fmt"

	"github.com/gowalrus/gowalrus/distributed"
)

// Rates are operations per second of one device by their kind, two for each
// multiplication with its addition, forward and backward alike.
type Rates struct {
	// Dense are the linear layers, Attention the products of queries, keys and
	// values with everything between them, Convolution encoder and decoder.
	Dense       float64 `json:"dense"`
	Attention   float64 `json:"attention"`
	Convolution float64 `json:"convolution"`
}

// PaperRates are those of an H100 at single precision, as the paper trains (§B.1).
// Linear layers run at 60 % of the 67 TFLOP/s of its data sheet, which is assumed; it
// decides only how much of the transfers is hidden. What attention and convolutions
// reach beside it, 2/5 and 1/10, is calibrated on Figure 4; these two are the only
// numbers that are.
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

// seconds returns what encoder, blocks and decoder take.
func (r Rates) seconds(f distributed.FLOPs) [3]float64 {
	return [3]float64{f.Encoder / r.Convolution, f.Dense/r.Dense + (f.Space+f.Time)/r.Attention, f.Decoder / r.Convolution}
}
