package convert_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/gowalrus/gowalrus/data/convert"
	"github.com/gowalrus/gowalrus/data/well"
)

// The name of the file determines the format. The report lists assumptions and the parts of
// the source that were left out.
func ExampleConvert() {
	dir, err := os.MkdirTemp("", "convert")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	r, err := convert.Convert(context.Background(), convert.Options{
		Input: filepath.Join("..", "..", "testdata", "data", "sources", "PDEGym", "CE-RM.nc"),
		Out:   dir,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.Format, filepath.Base(r.Dir), r.Trajectories, r.Steps)
	ds, err := well.Open(r.Dir, well.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer ds.Close()
	fmt.Println(ds.Metadata().Channels(), ds.Files()[0].Boundaries)
	for _, note := range r.Notes {
		fmt.Println("note:", note)
	}
	// Output:
	// pdegym pdegym 2 21
	// [density pressure velocity_x velocity_y velocity_z] [periodic periodic]
	// note: the fifth channel, whose meaning the collection does not state, is left out
	// note: the file gives no values for time: counted from 0
	// note: the file gives no values for x: counted from 0
	// note: the file gives no values for y: counted from 0
}

func ExampleFormats() {
	for _, f := range convert.Formats() {
		if strings.HasPrefix(f.Name, "pdebench") {
			fmt.Println(f.Name, f.Dataset)
		}
	}
	// Output:
	// pdebench-cns pdebench_cns
	// pdebench-ns pdebench_ns_incom
	// pdebench-diff-react pdebench_diff_react
	// pdebench-rdb pdebench_rdb
}

// A file whose name matches no format needs Options.Format.
func ExampleOptions() {
	_, err := convert.Convert(context.Background(), convert.Options{Input: "flow.hdf5", Out: "datasets"})
	fmt.Println(err)
	// Output: convert: flow.hdf5: the name fits none of the formats pdebench-cns, pdebench-ns, pdebench-diff-react, pdebench-rdb, pdearena, pdegym, flowbench, bubbleml: state the format, or write a mapping for files of another layout: gowalrus import --guess flow.hdf5 begins one (in Go: mapping.Guess of package data/convert/mapping)
}
