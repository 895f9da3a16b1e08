package gowalrus_test

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/golden"
)

// TestGoldenEveryCaseIsUnderstood fails for a case of the manifest that no
// test of the module reads. It finds the readers in their sources, by the
// calls golden.Every(t, "h_", …), so there is no list that could fall behind.
func TestGoldenEveryCaseIsUnderstood(t *testing.T) {
	readers := readTests(t)
	for _, set := range []golden.Set{golden.Walrus, golden.Peers} {
		for _, c := range set.Load(t).Cases() {
			t.Run(c.Case, func(t *testing.T) {
				by := readers.of(c.Case)
				require.NotEmpty(t, by, "case %q: expected a test with Every for the first letters of this name, got none", c.Case)
				t.Log("read by ", strings.Join(by, ", "))
			})
		}
	}
}

// TestGoldenEveryFileIsUnderstood does the same for the files beside the
// cases, such as tables and checkpoints: a test must name them. A file that
// differs from a case's in the extension alone, "tiny_walrus.pt", belongs to
// the case.
func TestGoldenEveryFileIsUnderstood(t *testing.T) {
	if dir := os.Getenv(golden.EnvDir); dir != "" {
		t.Skipf("%s=%s: another set may hold files of its own", golden.EnvDir, dir)
	}
	readers, m := readTests(t), golden.Load(t)
	ofCase := map[string]bool{}
	for _, c := range m.Cases() {
		ofCase[stem(c.File)] = true
	}
	for name := range m.Files {
		if ofCase[stem(name)] {
			continue
		}
		t.Run(name, func(t *testing.T) {
			by := readers.naming(name)
			require.NotEmpty(t, by, "file %q: expected a test that names it, got none", name)
			t.Log("named in ", strings.Join(by, ", "))
		})
	}
}

// TestGoldenGradientsHaveTheirRun checks the pairs that tests rely on: the
// gradients of a training step with the step, the result of a run of AdamW
// with the run.
func TestGoldenGradientsHaveTheirRun(t *testing.T) {
	names := map[string]bool{}
	for _, c := range golden.Load(t).Cases() {
		names[c.Case] = true
	}
	for name := range names {
		if size, ok := strings.CutPrefix(name, "i_grads_"); ok {
			assert.True(t, names["i_train_"+size], "%s: expected the case i_train_%s", name, size)
		}
		if run, ok := strings.CutSuffix(name, "_final"); ok && strings.HasPrefix(name, "l_adamw") {
			assert.True(t, names[run], "%s: expected the case %s", name, run)
		} else if strings.HasPrefix(name, "l_adamw") {
			assert.True(t, names[name+"_final"], "%s: expected the case %s_final", name, name)
		}
	}
}

// TestUnknownCaseIsNotUnderstood shows that the guard can fail.
func TestUnknownCaseIsNotUnderstood(t *testing.T) {
	readers := readTests(t)
	assert.Empty(t, readers.of("zz_case_nobody_reads"))
	assert.NotEmpty(t, readers.of("dpot_any_model"))
	assert.NotEmpty(t, readers.of("h_any_model"))
	assert.Empty(t, readers.naming("a_table_nobody_names"+".json"))
}

// testSources is what the module's test files say about the golden set.
type testSources struct {
	every map[string][]string // prefix → tests that read the cases with it
	words map[string][]string // string constant → files that hold it
}

func (s testSources) of(name string) []string {
	var out []string
	for prefix, tests := range s.every {
		if strings.HasPrefix(name, prefix) {
			out = append(out, tests...)
		}
	}
	slices.Sort(out)
	return out
}

// naming returns the files with a string constant that is the name or, for
// files in folders, its last part.
func (s testSources) naming(name string) []string {
	out := slices.Clone(s.words[name])
	if base := filepath.Base(name); base != name {
		out = append(out, s.words[base]...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func stem(file string) string { return strings.TrimSuffix(file, filepath.Ext(file)) }

// readTests parses the test files that this build includes. internal/golden is
// left out: it checks files, not what they mean; and so are calls with an
// empty prefix.
func readTests(t *testing.T) testSources {
	t.Helper()
	s := testSources{map[string][]string{}, map[string][]string{}}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == "testdata" || path == filepath.Join("internal", "golden") || (path != "." && strings.HasPrefix(d.Name(), ".")) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, "_test.go") || path == "golden_guard_test.go" {
			return nil
		}
		if included, err := build.Default.MatchFile(filepath.Dir(path), d.Name()); err != nil || !included {
			return err
		}
		return s.parse(path)
	})
	require.NoError(t, err)
	require.NotEmpty(t, s.every, "expected tests that call golden.Every")
	return s
}

func (s testSources) parse(path string) error {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	for _, decl := range file.Decls {
		fn, _ := decl.(*ast.FuncDecl)
		ast.Inspect(decl, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				if word, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING {
					s.words[word] = append(s.words[word], path)
				}
			case *ast.CallExpr:
				if prefix := everyPrefix(n); prefix != "" && fn != nil && strings.HasPrefix(fn.Name.Name, "Test") {
					s.every[prefix] = append(s.every[prefix], fmt.Sprintf("%s.%s", filepath.ToSlash(filepath.Dir(path)), fn.Name.Name))
				}
			}
			return true
		})
	}
	return nil
}

// everyPrefix returns the prefix of a call golden.Every(t, "h_", …) or
// golden.Peers.Every(t, "dpot_", …), or "". The names of the two sets differ.
func everyPrefix(call *ast.CallExpr) string {
	fn, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || fn.Sel.Name != "Every" || len(call.Args) != 3 {
		return ""
	}
	from := fn.X
	if set, ok := from.(*ast.SelectorExpr); ok {
		from = set.X
	}
	if pkg, ok := from.(*ast.Ident); !ok || pkg.Name != "golden" {
		return ""
	}
	lit, ok := call.Args[1].(*ast.BasicLit)
	if !ok {
		return ""
	}
	prefix, _ := strconv.Unquote(lit.Value)
	return prefix
}
