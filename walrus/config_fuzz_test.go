package walrus

import (
	"strings"
	"testing"
)

// FuzzParseConfig checks that no input panics, that every accepted configuration is
// valid, and that it is the same after it is written and read again. Run it with
// -fuzzminimizetime 10x; otherwise minimising files of 4 KB takes all the time.
func FuzzParseConfig(f *testing.F) {
	var b strings.Builder
	if err := Micro().WriteYAML(&b, Scaling{Eps: 1e-8}); err != nil {
		f.Fatal(err)
	}
	text := b.String()
	f.Add(text)
	f.Add("")
	f.Add("model: {}\ndata: []\ntrainer: *x\n")
	f.Add(strings.Replace(text, "hidden_dim: 32", "hidden_dim: &a 32", 1))
	f.Add(strings.Replace(text, "finetuning_mods: {}", "finetuning_mods: {learnable_rope: true, ape_shape: [1, 2, 3]}", 1))
	f.Add("? a\n: !!int &x [*x, {<<: *x}]\n--- |\n  b\n...\n")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseRecipe([]byte(text))
		if err != nil {
			return
		}
		if err := r.Config.Validate(); err != nil {
			t.Fatalf("accepted, yet: %v", err)
		}
		var b strings.Builder
		s := Scaling{}
		if r.Scaling != nil {
			s = *r.Scaling
		}
		if err := r.Config.WriteYAML(&b, s); err != nil {
			t.Fatal(err)
		}
		back, err := ParseRecipe([]byte(b.String()))
		if err != nil {
			t.Fatalf("%v in\n%s", err, b.String())
		}
		if !sameLayout(back.layout, layout(r.Config, &s)) {
			t.Fatalf("expected %+v, %+v, got %+v, %+v", r.Config, s, back.Config, back.Scaling)
		}
		r.Config.Blocks++
		if out, err := r.Bytes(); err == nil { // an edit succeeds or returns an error
			if back, err := ParseConfig(out); err != nil || back.Blocks != r.Config.Blocks {
				t.Fatalf("%v in\n%s", err, out)
			}
		}
	})
}
