package walrus

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// UnmarshalJSON reads what json.Marshal writes for a Config. A key it does not
// know is an error that names it: a setting that is silently ignored would
// yield another network. It does not call Validate.
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
