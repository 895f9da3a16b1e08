package data

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzParseStatistics: the parser panics on no text, and a text that it accepts has finite
// values for every field.
func FuzzParseStatistics(f *testing.F) {
	f.Add([]byte(statsYAML))
	raw, err := os.ReadFile(filepath.Join("..", "testdata", "data", "shear_flow_tensor", "stats.yaml"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := ParseStatistics(raw)
		if err != nil {
			return
		}
		for kind, table := range s.tables() {
			for name, values := range *table {
				if len(values) == 0 {
					t.Fatalf("%s of %q has no value", kind, name)
				}
				for _, v := range values {
					if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 && !strings.HasPrefix(kind, "mean") {
						t.Fatalf("%s of %q is %v", kind, name, v)
					}
				}
			}
		}
	})
}
