package golden

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// Header describes the origin of the set.
type Header struct {
	// Set is the set's name, Torch the version of PyTorch that made it.
	Set, Torch string
	// Reference names the code that made it: a string, or one for each network.
	Reference any
	// Config is the tiny model that most cases use.
	Config Config
	// FieldIndexMap is the tiny model's field registry.
	FieldIndexMap map[string]int `json:"field_index_map"`
}

// Config is the size of a tiny model. Its names are the manifest's.
type Config struct {
	Seed   int // of the weights
	Hidden int // width C of the blocks
	Inter  int // channels between the two convolutions
	Proj   int // channels of the first projection
	Groups int // norm groups G
	Heads  int // attention heads N
	Blocks int // space-time blocks
}

// Tensor is the manifest's description of a tensor.
type Tensor struct {
	Shape []int
	// DType is "float32", "int32" or "uint8".
	DType string
}

// Manifest is the content of manifest.json.
type Manifest struct {
	Header Header
	// Files maps every file of the set to its size in bytes.
	Files map[string]int64
	cases []Case
}

// Load reads the manifest of Walrus's vectors.
func Load(tb testing.TB) *Manifest { tb.Helper(); return Walrus.Load(tb) }

// Load reads manifest.json.
func (s Set) Load(tb testing.TB) *Manifest {
	tb.Helper()
	var raw struct {
		Header Header
		Cases  []json.RawMessage
		Files  map[string]int64
	}
	s.ReadJSON(tb, "manifest.json", &raw)
	m := &Manifest{Header: raw.Header, Files: raw.Files}
	for i, text := range raw.Cases {
		c := Case{raw: text, set: s}
		if err := json.Unmarshal(text, &c); err != nil {
			tb.Fatalf("golden: manifest.json: case %d: %v", i, err)
		}
		if c.Case == "" || c.File == "" {
			tb.Fatalf("golden: manifest.json: case %d: expected a case and a file, got %q and %q", i, c.Case, c.File)
		}
		m.cases = append(m.cases, c)
	}
	return m
}

// Cases returns the cases whose name begins with one of the prefixes, in the manifest's
// order; without prefixes it returns all.
func (m *Manifest) Cases(prefixes ...string) []Case {
	var out []Case
	for _, c := range m.cases {
		if len(prefixes) == 0 || hasAnyPrefix(c.Case, prefixes) {
			out = append(out, c)
		}
	}
	return out
}

func hasAnyPrefix(name string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// Case returns the case with the given name and ends the test if there is none.
func (m *Manifest) Case(tb testing.TB, name string) Case {
	tb.Helper()
	for _, c := range m.cases {
		if c.Case == name {
			return c
		}
	}
	tb.Fatalf("golden: expected a case %q in manifest.json, got none", name)
	return Case{}
}

// ReadJSON decodes a JSON file of Walrus's vectors; see Set.ReadJSON.
func ReadJSON(tb testing.TB, name string, v any) { tb.Helper(); Walrus.ReadJSON(tb, name, v) }

// ReadJSON decodes a JSON file of the set, such as "l_lr_schedules.json".
func (s Set) ReadJSON(tb testing.TB, name string, v any) {
	tb.Helper()
	text, err := os.ReadFile(s.Path(tb, name))
	if err != nil {
		tb.Fatalf("golden: %v", err)
	}
	if err := json.Unmarshal(text, v); err != nil {
		tb.Fatalf("golden: %s: %v", name, err)
	}
}

// Every runs cases of Walrus's vectors; see Set.Every.
func Every(t *testing.T, prefix string, run func(t *testing.T, c Case)) {
	t.Helper()
	Walrus.Every(t, prefix, run)
}

// Every runs each case whose name begins with prefix as a subtest with the case's name.
// If the repository's own set has no such case the test fails; another set may hold
// fewer cases, and the test is then skipped with that reason.
func (s Set) Every(t *testing.T, prefix string, run func(t *testing.T, c Case)) {
	t.Helper()
	cases := s.Load(t).Cases(prefix)
	if len(cases) == 0 {
		if s.own() {
			t.Fatalf("golden: expected cases named %s…, got none", prefix)
		}
		t.Skipf("golden: no case named %s… in %s", prefix, s.Dir(t))
	}
	for _, c := range cases {
		t.Run(c.Case, func(t *testing.T) { run(t, c) })
	}
}
