// Package gowalrus is the root of a Go implementation of Walrus, the transformer that
// forecasts physical fields on grids (arXiv 2511.15684). It exports nothing itself;
// programs import the packages below.
//
//	b, err := backend.Default()
//	…
//	em, err := walrus.Load("walrus.pt", walrus.EmulatorOptions{Backend: b})
//	…
//	w := &data.Window{
//		Fields:     []data.Field{{Name: "pressure"}, {Name: "velocity", Order: 1}},
//		Grid:       []int{128, 128},
//		Boundaries: data.Boundaries{data.Both(data.Periodic), data.Both(data.Wall)},
//		Frames:     frames, // six frames of [3·128·128] float32, physical units
//	}
//	for frame, err := range em.Rollout(ctx, w, 20) {
//		…
//	}
//
// # Packages
//
// The order is that of imports: a package imports only packages above it.
//
//	data            fields, registry, boundaries, windows; imported by all
//	layers          blocks on gomlx nodes; imports none of ours
//	csm             grid → strides, padding, tokens; encoder and decoder
//	jitter          padding by boundary, random shifts, their exact inverse
//	walrus          configuration, network, weights, emulator
//	walrus/backend  chooses a gomlx backend for programs that ask for it
//	walrus/eval     VRMSE and other metrics, ensembles, horizons, spectra, baselines; report
//	                writes pages and charts, picture draws fields
//	walrus/perturb  perturbed initial frames for the members of an ensemble
//	walrus/objective objectives for gradients of forecasts
//	walrus/steer    corrections between the steps of a rollout
//	walrus/train    loss, gradients, AdamW, schedules, adapters, runs that resume
//	walrus/nano     the weights that come with the library
//	walrus/serve    forecasts over HTTP, with a page, as an http.Handler
//	walrus/recipe   training runs as YAML
//	walrus/peers    networks that Walrus is compared with: poseidon, dpot, mpp, fno, unet
//	data/well       The Well's files: read, check, write
//	data/solve      simulations that make data sets
//	data/convert    other layouts to The Well's; mapping: any file of arrays
//	data/hub        downloads from the model hub, and reads parts of files at addresses
//	data/npz        windows as NumPy's files
//	data/output     forecasts as HDF5, NetCDF, Zarr, VTK and NumPy files
//	data/sample     sound waves to try the library with
//	augment         rotations, embedding, strides
//	cmd/gowalrus    one program for all of it
//	cmd/libgowalrus a C library, with modules for Fortran and Python
//	examples        programs to copy
//
// # Letters
//
// T time, B batch, C channels, H W D spatial axes, G norm groups, N heads, K width of a
// head, S = H·W·D tokens. Fields are [T, B, C, H, W, D]. All arguments and results are
// float32 in physical units.
//
// # Errors
//
// Functions that build graphs may panic with an error, as in gomlx. Every other
// exported function returns errors that name the file, tensor or field, the expected
// and the actual value. docs/troubleshooting.md lists the traps; docs/glossary.md defines the words
// of this library, and docs/reference.md states the computations of the reference.
package gowalrus
