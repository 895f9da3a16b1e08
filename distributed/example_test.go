package distributed_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/gowalrus/gowalrus/distributed"
	"github.com/gowalrus/gowalrus/distributed/internal/smallrun"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/train"
)

func ExampleHybrid() {
	m := distributed.Hybrid(24, 4) // the paper's 96 GPUs
	fmt.Println(m, m.Devices(), distributed.FullyShard(8), distributed.DataParallel(2))
	// Output: 24×4 96 1×8 2×1
}

// Training on a mesh differs from training on one device only in the option Mesh.
func ExampleMesh() {
	dir, err := os.MkdirTemp("", "run")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	b, err := backend.Go()
	if err != nil {
		log.Fatal(err)
	}
	weights, err := smallrun.Weights() // a small network
	if err != nil {
		log.Fatal(err)
	}
	o, err := smallrun.Options(dir) // two small data sets, eight updates
	if err != nil {
		log.Fatal(err)
	}
	o.Trainer.Backend = b
	o.Trainer.Mesh = distributed.Local() // on XLA also Hybrid(2, 4)
	run, err := train.NewRun(weights, o)
	if err != nil {
		log.Fatal(err)
	}
	defer run.Close()
	err = run.Train(context.Background())
	fmt.Println(run.Updates(), err)
	// Output: 8 <nil>
}

// A custom training loop gives every group its micro-batches.
func ExampleMesh_customLoop() {
	b, err := backend.Go()
	if err != nil {
		log.Fatal(err)
	}
	weights, err := smallrun.Weights()
	if err != nil {
		log.Fatal(err)
	}
	tr, err := train.New(weights, train.Options{Backend: b, Mesh: distributed.Local()})
	if err != nil {
		log.Fatal(err)
	}
	defer tr.Close()
	next := func(ctx context.Context, group, micro int) (*train.Batch, error) {
		return smallrun.Batch(group, micro), nil
	}
	u, err := tr.StepFrom(context.Background(), next, 2, 1e-4)
	fmt.Println(u.Samples, u.Loss > 0, err)
	// Output: 2 true <nil>
}
