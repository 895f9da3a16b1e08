package train

import (
	"context"
	"errors"
	"testing"

	"github.com/gomlx/compute"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/distributed"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/eval"
)

// validated returns four systems, the third without validation data, and tasks.
func validated(t *testing.T) ([]System, []task) {
	t.Helper()
	var out []System
	for i, name := range []string{"a", "b", "c", "d"} {
		w := waves(name, []int{16, 8 * (1 + i%2)}, data.Boundaries{periodic, walled}, 6)
		d, err := data.NewMemory(name, []*data.Window{w})
		require.NoError(t, err)
		s := System{Name: name, Train: d, Valid: d, Cut: data.Cut{Input: 2}}
		if name == "c" {
			s.Valid = nil
		}
		out = append(out, s)
	}
	return out, []task{{eval.Horizon{From: 1, To: 1}, 2}, {eval.Horizon{From: 1, To: 2}, 1}}
}

// spy is a data set that reports when it is read.
type spy struct {
	data.Dataset
	read func()
}

func (s spy) Read(ctx context.Context, span data.Span, into *data.Window) (*data.Window, error) {
	s.read()
	return s.Dataset.Read(ctx, span, into)
}

// TestValidatorOnAllDevices: groups validate at the same time, each on its own device, and give
// the scores of a single device, also after the weights have changed.
func TestValidatorOnAllDevices(t *testing.T) {
	b := testbackend.Devices(t, 4)
	w, err := walrus.InitWeights(smallConfig(), 1)
	require.NoError(t, err)
	t.Cleanup(w.Close)
	o := RunOptions{Trainer: Options{Backend: b}}
	var tasks []task
	o.Systems, tasks = validated(t)
	found := map[int][]map[string]map[string]float64{}
	plain := o.Systems[1].Valid
	for n, devices := range [][]compute.DeviceNum{1: {0}, 2: {0, 2}} {
		if devices == nil {
			continue
		}
		w, err := w.Clone()
		require.NoError(t, err)
		defer w.Close()
		o.Trainer.Mesh, o.Trainer.Devices = distributed.DataParallel(n), devices
		tr, err := New(w, o.Trainer)
		require.NoError(t, err)
		defer tr.Close()
		v, err := newValidator(tr.net, o, tr)
		require.NoError(t, err)
		defer v.close()
		used := map[compute.DeviceNum]bool{}
		for at, em := range v.emulators {
			require.NotNil(t, em)
			used[at.device] = true
		}
		require.Len(t, used, n)
		placed := false
		if n == 2 { // the second system is the second group's
			o.Systems[1].Valid = spy{plain, func() {
				x, ok := v.copies[2].Tensors().Tensor("blocks.0.space_mixing.ff_out.weight")
				placed = placed || ok && x.IsOnDevice(2)
			}}
		}
		for range 2 {
			_, err := tr.Weights() // from the devices
			require.NoError(t, err)
			scores, err := v.errors(context.Background(), tr, tasks)
			require.NoError(t, err)
			found[n] = append(found[n], scores)
			_, err = tr.StepFrom(context.Background(), func(context.Context, int, int) (*Batch, error) { return still(plane()), nil }, 1, 1e-2)
			require.NoError(t, err)
		}
		require.Equal(t, n == 2, placed, "copies are on the devices of their groups while these validate")
		for _, c := range v.copies {
			_, ok := c.Tensors().Tensor(c.Tensors().Params()[0].Key)
			require.False(t, ok, "copies are gone after the validation")
		}
		canceled, cancel := context.WithCancel(context.Background())
		cancel()
		_, err = v.errors(canceled, tr, tasks)
		require.ErrorIs(t, err, context.Canceled)
	}
	require.Len(t, found[1][0], 3)
	require.Len(t, found[1][0]["a"], 2)
	require.NotEqual(t, found[1][0], found[1][1], "the weights have changed")
	require.Equal(t, found[1], found[2])
}

// TestValidatorSharesSystems: every system is scored once, and the numbers of systems of all
// processes and groups differ by at most 1.
func TestValidatorSharesSystems(t *testing.T) {
	systems, _ := validated(t)
	for range 3 {
		systems = append(systems, systems...)
	}
	for _, size := range []int{1, 2, 3} {
		for n := range 4 {
			count := map[int]int{}
			least, most := len(systems), 0
			for rank := range size {
				v := &validator{o: RunOptions{Systems: systems}, devices: make([]compute.DeviceNum, n+1)}
				v.assign(rank, size)
				require.Equal(t, 24, v.systems)
				for _, list := range v.mine {
					least, most = min(least, len(list)), max(most, len(list))
					for _, i := range list {
						count[i]++
					}
				}
			}
			require.LessOrEqual(t, most-least, 1, "%d processes of %d groups", size, n+1)
			for i, s := range systems {
				require.Equal(t, s.Valid != nil, count[i] == 1, "%d %s", i, s.Name)
			}
		}
	}
}

// broken is a data set that cannot be read.
type broken struct{ data.Dataset }

var errDisk = errors.New("disk on fire")

func (broken) Read(context.Context, data.Span, *data.Window) (*data.Window, error) {
	return nil, errDisk
}

// TestValidatorFails: an error of one group is the error of the validation.
func TestValidatorFails(t *testing.T) {
	o := RunOptions{Trainer: Options{Backend: testbackend.New(t)}}
	var tasks []task
	o.Systems, tasks = validated(t)
	o.Systems[1].Valid = broken{o.Systems[1].Valid}
	tr := newTrainer(t, Options{})
	defer tr.Close()
	v, err := newValidator(tr.net, o, tr)
	require.NoError(t, err)
	defer v.close()
	_, err = v.errors(context.Background(), tr, tasks)
	require.ErrorIs(t, err, errDisk)
}
