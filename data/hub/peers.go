package hub

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// published says where the weights of a network are.
type published struct {
	repo  string
	files []string
	// file is the file to load; empty means the folder.
	file string
}

// peers lists the published weights of the networks that Walrus is compared with.
var peers = map[string]published{
	"poseidon-t": poseidon("T"), "poseidon-b": poseidon("B"), "poseidon-l": poseidon("L"),
	"dpot-ti": dpot("Ti"), "dpot-s": dpot("S"), "dpot-m": dpot("M"), "dpot-l": dpot("L"), "dpot-h": dpot("H"),
}

func poseidon(size string) published {
	return published{repo: "camlab-ethz/Poseidon-" + size, files: []string{"config.json", "model.safetensors"}}
}

func dpot(size string) published {
	file := "model_" + size + ".pth"
	return published{repo: "hzk17/DPOT", files: []string{file}, file: file}
}

// Peers returns the names that [Client.Peer] knows: "dpot-ti", "poseidon-t" and so on.
func Peers() []string { return slices.Sorted(maps.Keys(peers)) }

// Peer returns the repository of the published weights of Poseidon or DPOT; see [Peers]. The
// weights of MPP are not on the hub: its authors share them in a folder of Google Drive, to
// which github.com/PolymathicAI/multiple_physics_pretraining links.
func Peer(name string) (Repo, error) {
	p, err := lookup(name)
	return Repo{Kind: ModelKind, Name: p.repo}, err
}

// lookup returns the place of a network's weights.
func lookup(name string) (published, error) {
	if strings.HasPrefix(strings.ToLower(name), "mpp") {
		return published{}, fmt.Errorf("hub: %s: its weights are not on the hub: download them from the folder to which github.com/PolymathicAI/multiple_physics_pretraining links", name)
	}
	p, ok := peers[strings.ToLower(name)]
	if !ok {
		return published{}, fmt.Errorf("hub: expected one of %v, got %q", Peers(), name)
	}
	return p, nil
}

// Peer downloads the published weights of Poseidon or DPOT and returns the path for
// walrus/peers.Open.
func (c *Client) Peer(ctx context.Context, name string) (string, error) {
	p, err := lookup(name)
	if err != nil {
		return "", err
	}
	dir, err := c.FetchAll(ctx, Repo{Kind: ModelKind, Name: p.repo}, p.files...)
	if err != nil || p.file == "" {
		return dir, err
	}
	return filepath.Join(dir, p.file), nil
}
