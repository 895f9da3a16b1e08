package data

import (
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// FuzzParseStatistics: no text panics or takes more than 256 MB, and a text that is accepted
// has finite values for every field and no negative deviations.
func FuzzParseStatistics(f *testing.F) {
	f.Add([]byte(statsYAML))
	raw, err := os.ReadFile(filepath.Join("..", "testdata", "data", "shear_flow_tensor", "stats.yaml"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	for _, text := range []string{
		"mean:\n  mask: " + strings.Repeat("[", 20000), "rms: {D: [[1, 2], [3]]}", "std: {p: -1}", "rms: {p: 1e-5, v: [1e5, 2E+3]}", "rms: {p: !a 1}", "rms: &a {p: 1}\nstd: *a\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		s, err := ParseStatistics(raw)
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; len(raw) < 1<<20 && n > 256<<20 {
			t.Fatalf("%d bytes of text took %d bytes of memory", len(raw), n)
		}
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
