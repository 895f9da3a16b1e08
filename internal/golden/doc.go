// Package golden reads the golden vectors: inputs, intermediate values, outputs and
// gradients computed by the reference implementation, with a manifest that describes
// each tensor. Only tests import it.
//
//	func TestGoldenRMSGroupNorm(t *testing.T) {
//		golden.Every(t, "a_", func(t *testing.T, c golden.Case) {
//			f := c.Open(t)
//			for i := range c.Items {
//				x, shape := f.Float32(t, fmt.Sprintf("%d.x", i))
//				...
//				golden.Compare(t, "y", got, want, 1e-6)
//			}
//		})
//	}
//
// Vectors are read from testdata/golden of this repository, or, to check against
// another set made the same way, from the folder that the environment variable
// WALRUS_GOLDEN names. Tests of golden vectors are named TestGolden… and run each case
// as a subtest of the case's name, so that "go test ./... -run Golden" runs all of
// them.
//
// Helpers take a testing.TB and end the test on a broken file or manifest;
// none of them skips silently.
package golden
