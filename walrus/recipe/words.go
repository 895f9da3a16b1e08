package recipe

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/token"

	"github.com/gowalrus/gowalrus/walrus"
)

// inWords words the error of a value of the wrong kind in the terms of YAML: it names
// the key and the expected kind. It returns other errors unchanged.
func inWords(err error) error {
	var wrong *yaml.TypeError
	if errors.As(err, &wrong) && wrong.Token != nil {
		return fmt.Errorf("line %d: %sexpected %s, got %s", wrong.Token.Position.Line, keyOf(wrong.Token), kind(wrong.DstType), wrong.Token.Value)
	}
	var setting *json.UnmarshalTypeError
	if errors.As(err, &setting) && setting.Type != nil {
		return fmt.Errorf("%s: expected %s, got a %s", setting.Field, kind(setting.Type), setting.Value)
	}
	return err
}

// keyOf returns the key that a value follows, as "epochs: ".
func keyOf(t *token.Token) string {
	for ; t != nil; t = t.Prev {
		if t.Type == token.MappingValueType && t.Prev != nil {
			return t.Prev.Value + ": "
		}
	}
	return ""
}

// kind names a type in the terms of YAML.
func kind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return kind(t.Elem())
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Uint, reflect.Uint64:
		return "a whole number of at least 0"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Map, reflect.Struct:
		return "settings, key: value"
	}
	return "a word"
}

// networkKeys returns the keys that Recipe.Network may have.
func networkKeys() []string {
	out := []string{"preset"}
	t := reflect.TypeFor[walrus.Config]()
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		out = append(out, name)
	}
	return out
}
