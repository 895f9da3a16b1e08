package peers

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gomlx/compute"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/peers/dpot"
	"github.com/gowalrus/gowalrus/walrus/peers/mpp"
	"github.com/gowalrus/gowalrus/walrus/peers/poseidon"
)

// Options say how a network gets the fields of windows. Only Backend is required.
type Options struct {
	Backend compute.Backend
	// Statistics hold mean and standard deviation of each channel, by which values are
	// normalised (paper B.3). nil means the original's way; see the package.
	Statistics *data.Statistics
	// Channels names the channel of the windows for each channel of a Poseidon network or a
	// plain reference. For Poseidon, nil means density, velocity_x, velocity_y and pressure, as in the published weights.
	Channels []string
	// Labels gives the column of the weights for each channel of the windows, for MPP. nil
	// means those of [mpp.Fields] with the channels' names.
	Labels map[string]int
	// LeadTime is the lead time of a step, for Poseidon; 0 means [poseidon.LeadTime].
	LeadTime float32
	// History is the number of frames that [Network.History] returns; 0 means the
	// original's. DPOT accepts its own number only.
	History int
	// Load says which differences between network and file are allowed.
	Load walrus.LoadOptions
}

// errNoBackend is the error of options without a backend.
var errNoBackend = errors.New("peers: options: expected a backend (see package walrus/backend), got none")

// ErrUnknown is the error of a file that holds the weights of none of the networks.
var ErrUnknown = errors.New("expected weights of Poseidon, DPOT or MPP")

// Detect returns the design of the network whose weights a file, Poseidon's folder, or a
// checkpoint of a training holds. It reads the names of the tensors. A file with other tensors
// is [ErrUnknown].
func Detect(path string) (Kind, error) {
	file := path
	if m := saved(path); m != nil {
		file = m.Path(m.Design.File())
	} else if info, err := os.Stat(path); err == nil && info.IsDir() {
		for _, name := range []string{poseidon.WeightsFile, poseidon.TorchFile} {
			file = filepath.Join(path, name)
			if _, err := os.Stat(file); err == nil {
				break
			}
		}
	}
	list, err := walrus.ListTensors(file)
	if err != nil {
		return "", fmt.Errorf("peers: %w", err)
	}
	for _, t := range list.Tensors {
		switch name := strings.TrimPrefix(t.Name, "module."); name {
		case "patch_recovery.mixup.weight":
			return Poseidon, nil
		case "time_agg_layer.w":
			return DPOT, nil
		case "space_bag.weight":
			return MPP, nil
		case "fno.lift.weight":
			return FNO, nil
		case "unet.out.weight":
			return UNet, nil
		}
	}
	return "", fmt.Errorf("peers: %s: %w, got %d other tensors", path, ErrUnknown, len(list.Tensors))
}

// Open loads a network by its published file or folder: Poseidon's config.json with
// model.safetensors or pytorch_model.bin, DPOT's .pth, and MPP's files with and without the
// state of its trainer; or by the checkpoint of a training, whose options replace those that
// are not set. The caller must close the network.
func Open(path string, o Options) (*Network, error) {
	w, o, err := load(path, o)
	if err != nil {
		return nil, err
	}
	return w.open(o)
}

// loaded holds the weights of one of the networks.
type loaded struct {
	poseidon *poseidon.Weights
	dpot     *dpot.Weights
	mpp      *mpp.Weights
	plain    *plainWeights
}

// load loads the weights of a file, a folder or a checkpoint. It returns the options for them.
func load(path string, o Options) (w loaded, _ Options, err error) {
	if o.Backend == nil {
		return w, o, errNoBackend
	}
	kind, err := Detect(path)
	if err != nil {
		return w, o, err
	}
	if m := saved(path); m != nil {
		if m, err = walrus.OpenCheckpoint(m.Dir); err == nil {
			o, err = o.adopt(m.Design)
		}
		if err != nil {
			return w, o, err
		}
		path = m.Path(m.Design.File())
	}
	switch kind {
	case Poseidon:
		w.poseidon, _, err = poseidon.Load(path, o.Load)
	case DPOT:
		w.dpot, _, err = dpot.Load(path, o.Load)
	case MPP:
		w.mpp, _, err = mpp.Load(path, o.Load)
	default:
		w.plain, err = loadPlain(path, o.Load)
	}
	return w, o, err
}

// open returns the network, which owns the weights.
func (w loaded) open(o Options) (*Network, error) {
	switch {
	case w.poseidon != nil:
		return closeOnError(w.poseidon, NewPoseidon, o)
	case w.dpot != nil:
		return closeOnError(w.dpot, NewDPOT, o)
	case w.plain != nil:
		return closeOnError(w.plain, newPlainNetwork, o)
	}
	return closeOnError(w.mpp, NewMPP, o)
}

// closeOnError closes the weights if there is no network that would do it.
func closeOnError[W interface{ Close() }](w W, open func(W, Options) (*Network, error), o Options) (*Network, error) {
	n, err := open(w, o)
	if err != nil {
		w.Close()
	}
	return n, err
}

// finish sets what all networks have.
func (n *Network) finish(o Options) (*Network, error) {
	least, usual := n.design.frames()
	n.options, n.history = o, usual
	if o.History != 0 {
		if n.history = o.History; o.History < least {
			n.Close()
			return nil, fmt.Errorf("peers: options: expected a history of at least %d frames for %s, got %d", least, n.Kind, o.History)
		}
	}
	return n, nil
}

// Description says what a weight file holds.
type Description struct {
	Kind Kind `json:"kind"`
	// Name is that of the published variant with the same configuration. It may be empty.
	Name string `json:"name,omitempty"`
	// Tensors is the number of tensors in the state dict, for a description of [Variants].
	Tensors    int   `json:"tensors,omitempty"`
	Parameters int64 `json:"parameters"`
	// Licence is what the authors state about their weights ([Kind.Licence]). Plain references
	// have none.
	Licence string `json:"licence,omitempty"`
}

// Describe describes the weights of a peer's network without reading their values. A file with
// other tensors is [ErrUnknown].
func Describe(path string) (*Description, error) {
	kind, err := Detect(path)
	if err != nil {
		return nil, err
	}
	d := &Description{Kind: kind, Licence: kind.Licence()}
	if m := saved(path); m != nil {
		path = m.Path(m.Design.File())
	}
	switch kind {
	case Poseidon:
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			path = filepath.Dir(path)
		}
		c, err := poseidon.ReadConfig(filepath.Join(path, poseidon.ConfigFile))
		if err != nil {
			return nil, err
		}
		d.Name, d.Parameters = c.Name, c.Parameters()
	case DPOT:
		c, err := dpot.ReadConfig(path)
		if err != nil {
			return nil, err
		}
		d.Name, d.Parameters = c.Name, c.Parameters()
	case MPP:
		c, err := mpp.ReadConfig(path)
		if err != nil {
			return nil, err
		}
		d.Name, d.Parameters = c.Name, c.Parameters()
	default:
		w, err := describePlain(path)
		if err != nil {
			return nil, err
		}
		d.Parameters = w.parameters()
	}
	return d, nil
}
