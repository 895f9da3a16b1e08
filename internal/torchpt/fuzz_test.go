package torchpt

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzUnpickle runs arbitrary pickles with one storage of 16 floats. The tensors of an
// accepted pickle must be readable.
func FuzzUnpickle(f *testing.F) {
	x := tensor(16, 1, []int64{3, 5}, []int64{1, 3})
	f.Add(pickle(x))
	f.Add(pickle(dict(text("model"), dict(text("w"), parameter(x)))))
	f.Add(pickle("cposix\nsystem\n" + tuple(text("true")) + "R"))
	f.Add(pickle("]q\x00h\x00a"))
	f.Add(pickle("\x8c\x05torch\x8c\x07float32\x93\x94\x85"))
	f.Add(pickle(class2("torch", "Size") + "K\x02\x85\x85R"))
	f.Add(pickle(tensor(16, 0, []int64{1 << 32, 1 << 32}, []int64{0, 0})))
	f.Add(pickle(class2("argparse", "Namespace") + ")\x81" + dict(text("a"), x) + "b"))
	f.Add(pickle("\x8b\xff\xff\xff\x7f"))
	if seed, err := os.ReadFile("../../testdata/golden/micro_checkpoints/step_1/metadata.pt"); err == nil {
		f.Add(string(seed[64:261])) // its pickle
	}
	storage := counting(16)
	f.Fuzz(func(t *testing.T, pickle string) {
		file, err := open(checkpoint(t, pickle, storage))
		if err != nil {
			return
		}
		if x, ok := file.Root().(*Tensor); ok {
			readable(t, x)
		}
		if s, err := file.StateDict(); err == nil {
			for _, x := range s.Tensors {
				readable(t, x)
			}
		}
	})
}

func readable(t *testing.T, x *Tensor) {
	if x.Elements() > 1<<16 {
		return // legal, but slow to fuzz
	}
	values, err := x.Float32()
	if x.DType != "BOOL" && x.DType != "U64" {
		require.NoError(t, err)
		require.Len(t, values, x.Elements())
	}
}
