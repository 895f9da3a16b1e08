package recipe

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// FuzzParse: no text panics or takes more than 256 MB, and an accepted recipe is valid.
// testdata/fuzz holds texts on which package yaml panicked.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("../../examples/recipes/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	const data = "data: [{path: a, weight: 1e-5, transforms: {p: log10}}]\n"
	f.Add([]byte(data + "network: {preset: tiny, drop_path: 0.1}\nfreeze: [a, b]\nlora: {rank: 2, alpha: 4}\n"))
	f.Add([]byte(data + "network: {preset:" + strings.Repeat("[", 20000)))
	f.Add([]byte(data + strings.Repeat("network:\n- ", 2000)))
	f.Add([]byte("a: &a [x, x]\nb: &b [*a, *a]\nnetwork: {dims: *b}\n" + data))
	f.Fuzz(func(t *testing.T, text []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r, err := Parse(text)
		if err == nil {
			err = r.Validate()
			if err != nil {
				t.Fatalf("accepted, yet: %v", err)
			}
			_, _ = r.config(nil)
			_, _ = r.options()
		}
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; len(text) < 1<<20 && n > 256<<20 {
			t.Fatalf("%d bytes of text took %d bytes of memory", len(text), n)
		}
	})
}
