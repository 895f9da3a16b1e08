package sweep

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
)

// generator draws values of any type.
type generator struct {
	rng     *rand.Rand
	strings []string
	pool    map[reflect.Type][]reflect.Value
}

// Nonsense, and values that are small enough to be sensible somewhere.
var (
	numbers = []int64{0, 0, 1, 1, 2, 2, 3, 4, 6, 8, 8, 16, -1, -2, -8, 1 << 62, math.MaxInt64, math.MinInt64}
	reals   = []float64{0, 1, 0.5, 2, -1, 1e-300, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, -math.MaxFloat64}
	words   = []string{"", "", "x", "y", "nonsense", "\x00", "a/b", "x,y", "=", "{}", "[", "1", "-1", "é\xff"}
)

// most bounds the values of a type that the generator keeps.
const most = 6

// add adds a valid value. Structs are added as values and pointers.
func (g *generator) add(v reflect.Value) {
	t := v.Type()
	g.pool[t] = append(g.pool[t], v)
	if t.Kind() == reflect.Pointer && plain(t) {
		g.pool[t.Elem()] = append(g.pool[t.Elem()], v.Elem())
	} else if t.Kind() != reflect.Pointer && t.Kind() != reflect.Interface {
		p := reflect.New(t)
		p.Elem().Set(v)
		g.pool[p.Type()] = append(g.pool[p.Type()], p)
	}
}

// keep adds the results of a call without an error, so that methods of types that only
// constructors make have receivers.
func (g *generator) keep(results []reflect.Value) {
	for _, r := range results {
		if err, ok := r.Interface().(error); ok && err != nil {
			return
		}
	}
	for _, r := range results {
		if r.Kind() == reflect.Interface && !r.IsNil() {
			r = r.Elem()
		}
		t := r.Type()
		opaque := t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct && !plain(t) || t.Kind() == reflect.Struct && !plain(t)
		if opaque && len(g.pool[t]) < most && !(t.Kind() == reflect.Pointer && r.IsNil()) {
			g.pool[t] = append(g.pool[t], r)
		}
	}
}

// pick returns a valid value of a type.
func (g *generator) pick(t reflect.Type) (reflect.Value, bool) {
	list := g.pool[t]
	if t.Kind() == reflect.Interface {
		for _, other := range g.types() {
			if other.Implements(t) {
				list = append(list, g.pool[other]...)
			}
		}
	}
	if len(list) == 0 {
		return reflect.Value{}, false
	}
	v := clone(list[g.rng.IntN(len(list))])
	if t.Kind() == reflect.Interface && v.Type() != t {
		out := reflect.New(t).Elem()
		out.Set(v)
		return out, true
	}
	return v, true
}

// types returns the types of the pool in a fixed order.
func (g *generator) types() []reflect.Type {
	var out []reflect.Type
	for t := range g.pool {
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b reflect.Type) int { return strings.Compare(a.String(), b.String()) })
	return out
}

// receiver draws a receiver, which is not nil.
func (g *generator) receiver(t reflect.Type) reflect.Value {
	for {
		if v := g.draw(t, 0); !v.IsNil() {
			return v
		}
	}
}

// draw draws a value.
func (g *generator) draw(t reflect.Type, depth int) reflect.Value {
	if v, ok := g.standard(t); ok {
		return v
	}
	if v, ok := g.pick(t); ok && g.rng.IntN(3) > 0 {
		if g.rng.IntN(2) == 0 {
			g.spoil(v, depth)
		}
		return v
	}
	v := reflect.New(t).Elem()
	if depth > 5 {
		return v
	}
	n := g.rng.IntN(5)
	switch t.Kind() {
	case reflect.Bool:
		v.SetBool(n%2 == 0)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(numbers[g.rng.IntN(len(numbers))])
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(numbers[g.rng.IntN(len(numbers))]))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(reals[g.rng.IntN(len(reals))])
	case reflect.String:
		all := append(slices.Clone(words), g.strings...)
		v.SetString(all[g.rng.IntN(len(all))])
	case reflect.Slice:
		if n > 0 {
			v.Set(reflect.MakeSlice(t, n-1, n-1))
		}
		for i := range v.Len() {
			v.Index(i).Set(g.draw(t.Elem(), depth+1))
		}
	case reflect.Array:
		for i := range v.Len() {
			v.Index(i).Set(g.draw(t.Elem(), depth+1))
		}
	case reflect.Map:
		if n > 0 {
			v.Set(reflect.MakeMap(t))
		}
		for range n - 1 {
			v.SetMapIndex(g.draw(t.Key(), depth+1), g.draw(t.Elem(), depth+1))
		}
	case reflect.Pointer:
		if n > 0 {
			v.Set(reflect.New(t.Elem()))
			v.Elem().Set(g.draw(t.Elem(), depth+1))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() && g.rng.IntN(2) == 0 {
				f.Set(g.draw(f.Type(), depth+1))
			}
		}
	case reflect.Func:
		if n > 0 {
			v.Set(reflect.MakeFunc(t, func([]reflect.Value) []reflect.Value {
				out := make([]reflect.Value, t.NumOut())
				for i := range out {
					out[i] = reflect.Zero(t.Out(i))
				}
				return out
			}))
		}
	}
	return v
}

// spoil replaces a field of a struct, or an element of a slice, by nonsense.
func (g *generator) spoil(v reflect.Value, depth int) {
	if v.Kind() == reflect.Pointer && plain(v.Type()) {
		v = v.Elem()
	}
	switch {
	case v.Kind() == reflect.Struct && v.NumField() > 0:
		if f := v.Field(g.rng.IntN(v.NumField())); f.CanSet() {
			f.Set(g.draw(f.Type(), depth+1))
		}
	case v.Kind() == reflect.Slice && v.Len() > 0:
		v.Index(g.rng.IntN(v.Len())).Set(g.draw(v.Type().Elem(), depth+1))
	}
}

// standard draws values of types of the standard library.
func (g *generator) standard(t reflect.Type) (reflect.Value, bool) {
	switch t {
	case reflect.TypeFor[context.Context]():
		ctx := context.Background()
		if g.rng.IntN(2) == 0 {
			done, cancel := context.WithCancel(ctx)
			cancel()
			ctx = done
		}
		return convert(t, ctx), true
	case reflect.TypeFor[io.Writer]():
		if g.rng.IntN(2) == 0 {
			return convert(t, full{}), true
		}
		return convert(t, io.Discard), true
	case reflect.TypeFor[io.Reader](), reflect.TypeFor[io.ReaderAt]():
		return convert(t, bytes.NewReader([]byte(words[g.rng.IntN(len(words))]))), true
	case reflect.TypeFor[*rand.Rand]():
		return reflect.ValueOf(rand.New(rand.NewPCG(g.rng.Uint64(), 0))), true
	case reflect.TypeFor[error]():
		return convert(t, errors.New("nonsense")), true
	case reflect.TypeFor[any]():
		kinds := []any{nil, 1, -1.5, "x", []int{}, map[string]any{}, struct{}{}, math.NaN()}
		out := reflect.New(t).Elem()
		if v := kinds[g.rng.IntN(len(kinds))]; v != nil {
			out.Set(reflect.ValueOf(v))
		}
		return out, true
	}
	return reflect.Value{}, false
}

// convert returns a value of an interface type.
func convert(t reflect.Type, v any) reflect.Value {
	out := reflect.New(t).Elem()
	out.Set(reflect.ValueOf(v))
	return out
}

// full is a writer without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no room left") }

// plain reports whether a type holds data alone: no unexported fields, functions,
// interfaces or channels.
func plain(t reflect.Type) bool { return plainBelow(t, nil) }

func plainBelow(t reflect.Type, above []reflect.Type) bool {
	if slices.Contains(above, t) {
		return true
	}
	above = append(above, t)
	switch t.Kind() {
	case reflect.Func, reflect.Interface, reflect.Chan, reflect.UnsafePointer:
		return false
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return plainBelow(t.Elem(), above)
	case reflect.Map:
		return plainBelow(t.Key(), above) && plainBelow(t.Elem(), above)
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); !f.IsExported() || !plainBelow(f.Type, above) {
				return false
			}
		}
	}
	return true
}

// clone returns a value that is settable and that shares no data with v. Values that are
// not plain are shared.
func clone(v reflect.Value) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	out.Set(v)
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() && plain(v.Type()) {
			out.Set(reflect.New(v.Type().Elem()))
			out.Elem().Set(clone(v.Elem()))
		}
	case reflect.Slice:
		if !v.IsNil() {
			out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
			for i := range v.Len() {
				out.Index(i).Set(clone(v.Index(i)))
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			out.Index(i).Set(clone(v.Index(i)))
		}
	case reflect.Map:
		if !v.IsNil() {
			out.Set(reflect.MakeMap(v.Type()))
			for _, key := range v.MapKeys() {
				out.SetMapIndex(key, clone(v.MapIndex(key)))
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := out.Field(i); f.CanSet() {
				f.Set(clone(v.Field(i)))
			}
		}
	}
	return out
}
