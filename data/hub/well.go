package hub

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// WellDataset downloads splits ("train", "valid", "test") of a data set of The Well, or all
// of its splits if none is named, and its statistics if it has any. It returns the folder
// for well.Open.
func (c *Client) WellDataset(ctx context.Context, name string, splits ...string) (string, error) {
	r := Dataset(name)
	files, err := c.List(ctx, r)
	if err != nil {
		return "", err
	}
	found := map[string][]File{}
	var wanted []File
	for _, f := range files {
		parts := strings.SplitN(f.Path, "/", 3)
		switch {
		case f.Path == "stats.yaml":
			wanted = append(wanted, f)
		case len(parts) == 3 && parts[0] == "data":
			found[parts[1]] = append(found[parts[1]], f)
		}
	}
	has := slices.Sorted(maps.Keys(found))
	if len(has) == 0 {
		return "", fmt.Errorf("hub: %s: expected files data/<split>/…, got none among %d", r, len(files))
	}
	if len(splits) == 0 {
		splits = has
	}
	for _, split := range slices.Compact(slices.Sorted(slices.Values(splits))) {
		if found[split] == nil {
			return "", fmt.Errorf("hub: %s: expected splits of %v, got %q", r, has, split)
		}
		wanted = append(wanted, found[split]...)
	}
	return c.fetch(ctx, r, wanted)
}

// Walrus downloads the released weights (5 GB) and their configuration. It returns the
// folder for walrus.Load.
func (c *Client) Walrus(ctx context.Context) (string, error) {
	return c.FetchAll(ctx, Weights(), "extended_config.yaml", "walrus.pt")
}
