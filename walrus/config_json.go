package walrus

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// UnmarshalJSON reads the JSON that json.Marshal writes for a Config. It returns an
// error that names the key for an unknown key, because a setting that is silently
// ignored would yield another network. It does not call Validate.
func (c *Config) UnmarshalJSON(b []byte) error {
	type plain Config // without this method
	var p plain
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&p); err != nil {
		return fmt.Errorf("walrus: config: %w", err)
	}
	*c = Config(p)
	return nil
}
