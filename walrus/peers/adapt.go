package peers

import (
	"fmt"
	"slices"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus/peers/dpot"
	"github.com/gowalrus/gowalrus/walrus/peers/fno"
	"github.com/gowalrus/gowalrus/walrus/peers/mpp"
	"github.com/gowalrus/gowalrus/walrus/peers/poseidon"
	"github.com/gowalrus/gowalrus/walrus/peers/unet"
)

// OpenFor is [Open] for finetuning on a data set, with what the Walrus paper changed in the
// networks (appendix B.3). fresh names the tensors that start with initial values, drawn with
// the seed:
//
//   - Poseidon gets the grid of the data, with rows and columns apart. Other channels than the
//     network's make it one of [poseidon.Weights.WithChannels].
//   - DPOT gets the grid of the data, to which its embedding of positions is interpolated, and
//     for another number of channels it is one of [dpot.Transfer]. For 3D data the blocks of a
//     2D network become those of a 3D network.
//   - MPP keeps the columns of its weights if it knows the channels of the data, by
//     [Options.Labels] or from its pretraining. Otherwise all columns are new
//     ([mpp.Weights.ResetFields]), one for each channel.
//
// A name of [Fresh] in place of the path makes a new network for the grid and the channels of the
// data, [fno.For] or [unet.For]. A plain reference from a file stays as it is.
//
// Statistics of the data set in the options normalise values as in the paper.
func OpenFor(path string, m data.Metadata, o Options, seed uint64) (n *Network, fresh []string, err error) {
	channels := (&data.Window{Fields: m.Fields, Grid: m.Grid, Axes: m.Axes, Curvilinear: !m.Cartesian()}).Channels(false)
	if kind, ok := Fresh(path); ok {
		return openFresh(kind, m.Grid, channels, o, seed)
	}
	w, o, err := load(path, o)
	if err != nil {
		return nil, nil, err
	}
	var old interface{ Close() }
	switch {
	case w.plain != nil:
	case w.poseidon != nil:
		old = w.poseidon
		w.poseidon, o.Channels, fresh, err = adaptPoseidon(w.poseidon, m.Grid, channels, o.Channels, seed)
	case w.dpot != nil:
		old = w.dpot
		w.dpot, fresh, err = adaptDPOT(w.dpot, m.Grid, len(channels), seed)
	default:
		old = w.mpp
		w.mpp, o.Labels, fresh, err = adaptMPP(w.mpp, channels, o.Labels, seed)
	}
	if err != nil {
		old.Close()
		return nil, nil, fmt.Errorf("peers: adapting %s to data set %s: %w", path, m.Name, err)
	}
	n, err = w.open(o)
	return n, fresh, err
}

// openFresh makes a plain reference for a grid and channels.
func openFresh(kind Kind, grid []int, channels []string, o Options, seed uint64) (*Network, []string, error) {
	var config any = unet.For(grid, len(channels))
	if kind == FNO {
		config = fno.For(grid, len(channels))
	}
	o.Channels = channels
	n, err := newFresh(kind, config, o, seed)
	return n, nil, err
}

// adaptPoseidon returns weights for a grid and channels, and the names of the channels in the
// network's order, nil for those of the published weights.
func adaptPoseidon(w *poseidon.Weights, grid []int, channels, names []string, seed uint64) (*poseidon.Weights, []string, []string, error) {
	known := names
	if known == nil {
		known = poseidonChannels
	}
	var fresh []string
	out := w
	if c := w.Config(); len(known) != c.InChannels || c.InChannels != c.OutChannels || !sameNames(known, channels) {
		var err error
		if out, err = w.WithChannels(len(channels), len(channels), seed); err != nil {
			return nil, nil, nil, err
		}
		names = channels
		for i, p := range out.Params() {
			if !slices.Equal(p.Dims, w.Params()[i].Dims) {
				fresh = append(fresh, p.Key)
			}
		}
	}
	if c := out.Config(); len(grid) == 2 && [2]int(grid) != c.Grid {
		moved, err := out.WithGrid(grid[0], grid[1])
		if err != nil {
			if out != w {
				out.Close()
			}
			return nil, nil, nil, err
		}
		out = moved
	}
	if out.TensorSet != w.TensorSet {
		w.Close()
	}
	return out, names, fresh, nil
}

// adaptDPOT returns weights for a grid and a number of channels.
func adaptDPOT(w *dpot.Weights, grid []int, channels int, seed uint64) (*dpot.Weights, []string, error) {
	c := w.Config()
	if slices.Equal(c.Grid, grid) && c.InChannels == channels && c.OutChannels == channels {
		return w, nil, nil
	}
	c.Name, c.Grid, c.InChannels, c.OutChannels = "", grid, channels, channels
	out, report, err := dpot.Transfer(w, c, dpot.TransferOptions{Seed: seed})
	if err != nil {
		return nil, nil, err
	}
	w.Close()
	return out, report.Initialized, nil
}

// adaptMPP returns weights for channels, and their labels, nil for those of the published
// weights.
func adaptMPP(w *mpp.Weights, channels []string, labels map[string]int, seed uint64) (*mpp.Weights, map[string]int, []string, error) {
	known := labels != nil
	for _, name := range channels {
		if _, ok := labels[name]; !ok {
			known = false
		}
	}
	if labels == nil {
		list, err := published(channels)
		known = err == nil && slices.Max(list) < w.Config().States
	}
	if known {
		return w, labels, nil, nil
	}
	out, err := w.ResetFields(len(channels), seed)
	if err != nil {
		return nil, nil, nil, err
	}
	w.Close()
	labels = map[string]int{}
	for i, name := range channels {
		labels[name] = i
	}
	return out, labels, []string{"space_bag.weight", "debed.out_kernel", "debed.out_bias"}, nil
}
