package gowalrus_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestNothingDecidesByErrorText fails for code outside tests that searches, cuts or
// compares the text of an error. Errors are values: errors.Is and errors.As decide.
func TestNothingDecidesByErrorText(t *testing.T) {
	files := token.NewFileSet()
	parsed := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != "." && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".")) {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		parsed++
		for _, n := range byErrorText(file) {
			t.Errorf("%v: decides by the text of an error: expected errors.Is or errors.As, and a type or a variable for the error", files.Position(n.Pos()))
		}
		return nil
	})
	require.NoError(t, err)
	require.Greater(t, parsed, 100, "expected the sources of the module")
}

// TestErrorTextGuard shows that the guard can fail. The lines are code that this
// repository once had.
func TestErrorTextGuard(t *testing.T) {
	for _, c := range []struct {
		want int
		line string
	}{
		{1, `if strings.Contains(err.Error(), path) { return err }`},
		{1, `return fmt.Errorf("-system: %s", strings.TrimPrefix(err.Error(), "solve: "))`},
		{1, `if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok { return name }`},
		{1, `list = append(list, strings.Split(err.Error(), "\n")...)`},
		{1, `return bytes.HasPrefix([]byte(err.Error()), prefix)`},
		{1, `return pattern.MatchString(err.Error())`},
		{1, `return regexp.MustCompile("x").FindStringSubmatch(err.Error())`},
		{1, `return err.Error() == "EOF"`},
		{1, `return "EOF" != e.cause().Error()`},
		{1, `switch err.Error() { case "EOF": return nil }`},
		{1, `return codes[err.Error()]`},
		{1, `return err.Error()[5:]`},
		{1, `return err.Error()[0]`},
		{1, `text := err.Error(); return strings.ToLower(text)`},
		{1, `var text = fmt.Sprint(err); return strings.Index(text, ":")`},
		{1, `return strings.Contains(fmt.Sprintf("%v", err), path)`},
		{1, `text := "a"; text = text + err.Error(); return func() bool { return text == "a" }`},
		{0, `return &problem{Message: "the forecast failed: " + err.Error()}`},
		{0, `return errors.Is(err, io.EOF) || err == io.EOF`},
		{0, `text := err.Error(); fmt.Fprintln(w, text)`},
		{0, `log.Error("forecast", "error", err); return strings.Contains(path, "x")`},
		{0, `return fmt.Errorf("%s: %w", strings.ToLower(path), err)`},
	} {
		source := fmt.Sprintf("package p\nfunc f() any {\n%s\n}", c.line)
		file, err := parser.ParseFile(token.NewFileSet(), "p.go", source, parser.SkipObjectResolution)
		require.NoError(t, err, c.line)
		assert.Len(t, byErrorText(file), c.want, c.line)
	}
}

// byErrorText returns the expressions that search, cut or compare the text of an error.
func byErrorText(file *ast.File) (found []ast.Node) {
	for _, decl := range file.Decls {
		texts := errorTexts{}
		ast.Inspect(decl, func(n ast.Node) bool {
			texts.assign(n)
			return true
		})
		ast.Inspect(decl, func(n ast.Node) bool {
			if texts.decides(n) {
				found = append(found, n)
				return false
			}
			return true
		})
	}
	return found
}

// errorTexts holds the names of a function's variables that hold the text of an error.
type errorTexts map[string]bool

// assign adds the variables that a statement sets to a text of an error.
func (x errorTexts) assign(n ast.Node) {
	var names, values []ast.Expr
	switch n := n.(type) {
	case *ast.AssignStmt:
		names, values = n.Lhs, n.Rhs
	case *ast.ValueSpec:
		for _, name := range n.Names {
			names = append(names, name)
		}
		values = n.Values
	}
	for i, v := range values {
		if name, ok := names[i].(*ast.Ident); ok && x.is(v) {
			x[name.Name] = true
		}
	}
}

// is reports whether an expression is the text of an error: err.Error(), fmt.Sprint(err),
// a variable with such a text, or a text that is joined or converted from one.
func (x errorTexts) is(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return x[e.Name]
	case *ast.ParenExpr:
		return x.is(e.X)
	case *ast.BinaryExpr:
		return e.Op == token.ADD && (x.is(e.X) || x.is(e.Y))
	case *ast.CallExpr:
		switch fn := e.Fun.(type) {
		case *ast.SelectorExpr:
			if fn.Sel.Name == "Error" && len(e.Args) == 0 {
				return true
			}
			return isPackage(fn.X, "fmt") && strings.HasPrefix(fn.Sel.Name, "Sprint") && x.among(e.Args, "err")
		case *ast.ArrayType: // []byte(text)
			return x.among(e.Args, "")
		case *ast.Ident:
			return fn.Name == "string" && x.among(e.Args, "")
		}
	}
	return false
}

// among reports whether one of the expressions is the text of an error, or has the name.
func (x errorTexts) among(list []ast.Expr, name string) bool {
	for _, e := range list {
		if id, ok := e.(*ast.Ident); x.is(e) || ok && id.Name == name {
			return true
		}
	}
	return false
}

// decides reports whether a node searches, cuts or compares the text of an error.
func (x errorTexts) decides(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		return n.Op != token.ADD && (x.is(n.X) || x.is(n.Y))
	case *ast.SwitchStmt:
		return n.Tag != nil && x.is(n.Tag)
	case *ast.IndexExpr:
		return x.is(n.X) || x.is(n.Index)
	case *ast.SliceExpr:
		return x.is(n.X)
	case *ast.CallExpr:
		fn, ok := n.Fun.(*ast.SelectorExpr)
		if !ok || !x.among(n.Args, "") {
			return false
		}
		for _, name := range []string{"strings", "bytes", "regexp", "slices"} {
			if isPackage(fn.X, name) {
				return true
			}
		}
		for _, method := range []string{"Match", "Find", "Replace"} { // of a regexp
			if strings.HasPrefix(fn.Sel.Name, method) {
				return true
			}
		}
	}
	return false
}

// isPackage reports whether an expression is the name of a package.
func isPackage(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}

// notSwept names library packages without a test that feeds nonsense to their functions,
// with the reason.
var notSwept = map[string]string{
	"":                           "has no functions",
	"distributed/mpi":            "needs MPI",
	"data/well/libhdf5":          "needs the HDF5 library",
	"walrus/serve/static":        "is a program",
	"walrus/serve/static/worker": "is a program for the browser",
}

// TestEveryPackageIsSwept fails for a library package without a call of sweep.Run.
func TestEveryPackageIsSwept(t *testing.T) {
	packages, swept := map[string]bool{}, map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			switch d.Name() {
			case "testdata", "internal", "cmd", "examples", "experiments", "benchmarks":
				return filepath.SkipDir
			}
			if path != "." && strings.HasPrefix(d.Name(), ".") {
				return filepath.SkipDir
			}
			return nil
		}
		dir := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(path)), ".")
		switch {
		case strings.HasSuffix(path, "_test.go"):
			text, err := os.ReadFile(path)
			swept[dir] = swept[dir] || strings.Contains(string(text), "sweep.Run(t")
			return err
		case strings.HasSuffix(path, ".go"):
			packages[dir] = true
		}
		return nil
	})
	require.NoError(t, err)
	for dir := range packages {
		_, excused := notSwept[dir]
		if dir != "" { // this file contains the words, too
			assert.NotEqual(t, swept[dir], excused, "%s: expected a test with sweep.Run, or a reason in notSwept, and not both", dir)
		}
	}
	for dir := range notSwept {
		assert.True(t, packages[dir], "%s: expected a package of the module", dir)
	}
}
