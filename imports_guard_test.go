package gowalrus_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// TestPlotImports: below walrus only walrus/eval/report imports a plot library, so that a
// program that embeds an emulator or the server does not link one.
func TestPlotImports(t *testing.T) {
	found := false
	err := filepath.WalkDir("walrus", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, i := range file.Imports {
			switch {
			case !strings.HasPrefix(i.Path.Value, `"gonum.org/v1/plot`):
			case filepath.ToSlash(filepath.Dir(path)) == "walrus/eval/report":
				found = true
			default:
				t.Errorf("%s: expected no plot library outside walrus/eval/report, got %s", path, i.Path.Value)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !found {
		t.Error("expected walrus/eval/report to import gonum.org/v1/plot, got no import")
	}
}
