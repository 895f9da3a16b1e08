package data

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// MarshalJSON encodes the registry as an object from names to indices, sorted by index. It
// encodes the zero Registry as null.
func (r Registry) MarshalJSON() ([]byte, error) {
	if r.index == nil {
		return []byte("null"), nil
	}
	var b bytes.Buffer
	b.WriteByte('{')
	for k, name := range r.Names() {
		if k > 0 {
			b.WriteByte(',')
		}
		key, err := json.Marshal(name)
		if err != nil {
			return nil, fmt.Errorf("data: registry: field %q: %w", name, err)
		}
		fmt.Fprintf(&b, "%s:%d", key, r.index[name])
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// UnmarshalJSON decodes an object from names to indices and checks it as [NewRegistry]
// does. A repeated name or an empty one is an error, too. null leaves the registry
// unchanged.
func (r *Registry) UnmarshalJSON(b []byte) error {
	if bytes.Equal(bytes.TrimSpace(b), []byte("null")) {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return fmt.Errorf("data: registry: expected a JSON object from field names to indices, got %.40q", b)
	}
	index := make(map[string]int)
	for dec.More() {
		name, i, err := registryEntry(dec)
		if err != nil {
			return fmt.Errorf("data: registry: %w", err)
		}
		if _, dup := index[name]; dup {
			return fmt.Errorf("data: registry: field %q appears twice", name)
		}
		index[name] = i
	}
	if _, err := dec.Token(); err != nil {
		return fmt.Errorf("data: registry: %w", err)
	}
	read, err := NewRegistry(index)
	if err != nil {
		return err
	}
	*r = read
	return nil
}

// registryEntry decodes one `"name": index` pair of an object.
func registryEntry(dec *json.Decoder) (string, int, error) {
	t, err := dec.Token()
	if err != nil {
		return "", 0, err
	}
	name, _ := t.(string)
	if name == "" {
		return "", 0, fmt.Errorf("empty field name")
	}
	var i *int
	if err := dec.Decode(&i); err != nil {
		return "", 0, fmt.Errorf("field %q: expected an integer index: %w", name, err)
	}
	if i == nil {
		return "", 0, fmt.Errorf("field %q: expected an integer index, got null", name)
	}
	return name, *i, nil
}
