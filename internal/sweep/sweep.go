// Package sweep calls the exported functions and methods of a package with nonsense: zero
// values, nil, negative and huge numbers, NaN, empty and ragged slices. Exported functions
// report bad input by an error, or by a zero result that their comment describes; a panic
// fails the test.
//
// Three kinds of functions are exempt. Functions that build graphs, whose parameters,
// results or receiver hold a graph or a node, panic by convention. Names that begin with
// Must panic by their name. Receivers of methods are never nil, and neither are contexts,
// readers, writers and generators of the standard library.
package sweep

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"
)

// Package lists the exported names of a package. [Run] compares the list with the source.
type Package struct {
	// Funcs lists the functions. Generic functions are instantiated.
	Funcs []any
	// Types lists the types that have methods, as pointers to zero values. Types of which
	// only constructors make values are in Made instead.
	Types []any
	// Made lists types, as nil pointers, whose zero value has no use. Their methods get
	// values from Values, or that functions returned.
	Made []any
	// Values holds valid values of parameters and receivers. Calls get them and copies of
	// them with a field replaced by nonsense.
	Values []any
	// Strings holds names that the package knows, such as those of fields.
	Strings []string
	// Exempt gives the reason for each function ("Func" or "Type.Method") that is not
	// called.
	Exempt map[string]string
	// Calls is the number of calls of each function. 0 means 400.
	Calls int
}

// limit bounds the time of one call, also on a machine with other work.
const limit = 2 * time.Minute

// Run calls every function and method of the package in the working directory. Relative
// paths lead to an empty folder meanwhile.
func Run(t *testing.T, p Package) {
	t.Helper()
	p.complete(t)
	t.Chdir(t.TempDir())
	if p.Calls == 0 {
		p.Calls = 400
	}
	g := &generator{strings: p.Strings, pool: map[reflect.Type][]reflect.Value{}}
	for _, v := range p.Values {
		g.add(reflect.ValueOf(v))
	}
	for _, f := range p.Funcs {
		p.sweep(t, g, functionName(f), reflect.ValueOf(f), nil)
	}
	for _, list := range [][]any{p.Made, p.Types} {
		for _, v := range list {
			pointer := reflect.TypeOf(v)
			for i := range pointer.NumMethod() {
				m := pointer.Method(i)
				p.sweep(t, g, pointer.Elem().Name()+"."+m.Name, m.Func, v)
			}
		}
	}
}

// sweep calls one function. receiver is the value from Types or Made that a method belongs
// to.
func (p Package) sweep(t *testing.T, g *generator, name string, f reflect.Value, receiver any) {
	_, exempt := p.Exempt[name]
	if exempt || strings.HasPrefix(name, "Must") || buildsGraph(f.Type()) {
		return
	}
	begin := time.Now()
	defer func() {
		if d := time.Since(begin); d > time.Second {
			t.Logf("%s: %d calls took %v", name, p.Calls, d.Round(time.Second/10))
		}
	}()
	made := receiver != nil && reflect.ValueOf(receiver).IsNil()
	seed := fnv.New64a()
	seed.Write([]byte(name))
	g.rng = rand.New(rand.NewPCG(seed.Sum64(), 1))
	for call := range p.Calls {
		args := make([]reflect.Value, f.Type().NumIn())
		for i := range args {
			in := f.Type().In(i)
			switch {
			case i == 0 && made:
				made, ok := g.pick(in)
				if !ok {
					t.Errorf("%s: expected a value of %v among Values, or a function that returns one, got none", name, in)
					return
				}
				args[i] = made
			case i == 0 && receiver != nil && call == 0:
				args[i] = reflect.New(in.Elem())
			case i == 0 && receiver != nil:
				args[i] = g.receiver(in)
			case call == 0 && in.Kind() != reflect.Interface && in != reflect.TypeFor[*rand.Rand]():
				args[i] = reflect.Zero(in)
			default:
				args[i] = g.draw(in, 0)
			}
		}
		text := describe(args)
		results, fault := invoke(f, args)
		if fault != "" {
			t.Errorf("%s: panic for bad input, expected an error or a zero result\n%s(%s)\n%s", name, name, text, fault)
			return
		}
		g.keep(results)
	}
}

// invoke calls a function and its results that are iterators. It returns a description of
// the panic, if there is one.
func invoke(f reflect.Value, args []reflect.Value) (results []reflect.Value, fault string) {
	done := make(chan string, 1)
	go func() {
		defer func() {
			if v := recover(); v != nil {
				done <- fmt.Sprintf("%v\n%s", v, frames(string(debug.Stack())))
			}
		}()
		if f.Type().IsVariadic() {
			results = f.CallSlice(args)
		} else {
			results = f.Call(args)
		}
		for _, r := range results {
			drain(r)
		}
		done <- ""
	}()
	select {
	case fault = <-done:
		return results, fault
	case <-time.After(limit):
		return nil, fmt.Sprintf("no result after %v", limit)
	}
}

// drain reads up to three values of an iterator.
func drain(seq reflect.Value) {
	t := seq.Type()
	if t.Kind() != reflect.Func || seq.IsNil() || t.NumIn() != 1 || t.NumOut() != 0 || t.In(0).Kind() != reflect.Func || t.In(0).NumOut() != 1 {
		return
	}
	left := 3
	seq.Call([]reflect.Value{reflect.MakeFunc(t.In(0), func([]reflect.Value) []reflect.Value {
		left--
		return []reflect.Value{reflect.ValueOf(left > 0)}
	})})
}

// frames returns the lines of a stack below the panic, without those of this package.
func frames(stack string) string {
	if _, below, ok := strings.Cut(stack, "panic("); ok {
		stack = below
	}
	var out []string
	for line := range strings.SplitSeq(stack, "\n") {
		if strings.HasPrefix(line, "\t") && strings.Contains(line, ".go:") && !strings.Contains(line, "/src/runtime/") && !strings.Contains(line, "/internal/sweep/") {
			out = append(out, line)
		}
	}
	return strings.Join(out[:min(len(out), 6)], "\n")
}

// describe prints arguments before a call changes them.
func describe(args []reflect.Value) string {
	out := make([]string, len(args))
	for i, a := range args {
		if out[i] = text(a); len(out[i]) > 400 {
			out[i] = out[i][:400] + "…"
		}
	}
	return strings.Join(out, ", ")
}

// text prints a value. It prints only the exported fields and the types of values that are
// not plain, because goroutines of an earlier call may still write the other fields.
func text(v reflect.Value) string {
	if !v.IsValid() {
		return "nil"
	}
	if v.Kind() == reflect.Pointer && !v.IsNil() && plain(v.Type()) {
		v = v.Elem()
	}
	switch {
	case plain(v.Type()):
		return fmt.Sprintf("%+v", v.Interface())
	case v.Kind() == reflect.Interface:
		return text(v.Elem())
	case v.Kind() == reflect.Struct:
		var fields []string
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				fields = append(fields, f.Name+":"+text(v.Field(i)))
			}
		}
		return "{" + strings.Join(fields, " ") + "}"
	}
	return v.Type().String()
}

// functionName returns the name of a function without its package.
func functionName(f any) string {
	name := runtime.FuncForPC(reflect.ValueOf(f).Pointer()).Name()
	name = strings.TrimSuffix(name, "[...]")
	return name[strings.LastIndex(name, ".")+1:]
}

// buildsGraph reports whether a type holds a graph, a node or a scope of variables of gomlx.
func buildsGraph(t reflect.Type) bool { return holdsNode(t, nil) }

func holdsNode(t reflect.Type, seen []reflect.Type) bool {
	if slices.Contains(seen, t) {
		return false
	}
	seen = append(seen, t)
	if strings.HasPrefix(t.PkgPath(), "github.com/gomlx/gomlx/") && slices.Contains([]string{"Node", "Graph", "Scope", "Context", "Exec"}, t.Name()) {
		return true
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map, reflect.Chan:
		return holdsNode(t.Elem(), seen)
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); f.IsExported() && holdsNode(f.Type, seen) {
				return true
			}
		}
	case reflect.Interface:
		if !strings.HasPrefix(t.PkgPath(), "github.com/gowalrus/") {
			return false
		}
		for i := range t.NumMethod() {
			if holdsNode(t.Method(i).Type, seen) {
				return true
			}
		}
	case reflect.Func:
		for i := range t.NumIn() {
			if holdsNode(t.In(i), seen) {
				return true
			}
		}
		for i := range t.NumOut() {
			if holdsNode(t.Out(i), seen) {
				return true
			}
		}
	}
	return false
}
