package sweep

import (
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// complete fails if the source exports a function, or a type with methods, that the package
// does not list, and if the package lists a name twice or exempts one that it lacks.
func (p Package) complete(t *testing.T) {
	t.Helper()
	functions, methods, err := exported(".")
	if err != nil {
		t.Fatal(err)
	}
	listed, called := map[string]bool{}, map[string]bool{}
	list := func(name string, known bool) {
		if listed[name] || !known {
			t.Errorf("%s: expected each name of the package once, got it twice, or the package lacks it", name)
		}
		listed[name] = true
	}
	for _, f := range p.Funcs {
		list(functionName(f), functions[functionName(f)])
	}
	for _, values := range [][]any{p.Types, p.Made} {
		for _, v := range values {
			name, _, _ := strings.Cut(reflect.TypeOf(v).Elem().Name(), "[")
			list(name, methods[name] != nil)
			for i := range reflect.TypeOf(v).NumMethod() {
				called[name+"."+reflect.TypeOf(v).Method(i).Name] = true // with promoted methods
			}
		}
	}
	for name := range functions {
		if !listed[name] {
			t.Errorf("%s: expected every exported function in Funcs, this one is missing", name)
		}
	}
	for name, of := range methods {
		if !listed[name] {
			t.Errorf("%s: expected every exported type with methods in Types or Made, this one with %v is missing", name, of)
		}
	}
	for name, why := range p.Exempt {
		if why == "" || !functions[name] && !called[name] {
			t.Errorf("Exempt: %s: expected a function or method of the package with a reason, got %q", name, why)
		}
	}
}

// exported returns the exported functions of the package in a folder, and the exported
// methods of its exported types, in the files of this build.
func exported(dir string) (functions map[string]bool, methods map[string][]string, err error) {
	pkg, err := build.ImportDir(dir, 0)
	if err != nil {
		return nil, nil, err
	}
	functions, methods = map[string]bool{}, map[string][]string{}
	for _, name := range append(pkg.GoFiles, pkg.CgoFiles...) {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, nil, err
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || !f.Name.IsExported() {
				continue
			}
			if f.Recv == nil {
				functions[f.Name.Name] = true
			} else if typ := receiver(f.Recv.List[0].Type); ast.IsExported(typ) {
				methods[typ] = append(methods[typ], f.Name.Name)
			}
		}
	}
	return functions, methods, nil
}

// receiver returns the name of a receiver's type.
func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.IndexListExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}
