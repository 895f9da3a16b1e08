// Package sample holds data to try the library with: ten trajectories of sound waves in a
// square with inclusions of other density, made with Clawpack and embedded in the package
// (2.3 MB). Loading them needs no file, no network and no C library.
//
//	set, err := sample.Load()
//	…
//	w := set.Test[0]                     // a trajectory: 31 frames
//	frame := w.Frames[6]                 // [channel][H*W]: pressure, velocity_x, velocity_y
//	history, err := w.Slice(2, 8)        // six frames to forecast from
//	ds, err := set.Dataset("train")      // the same as a data set
//
// The equations are those of linear acoustics with a density rho(x, y) and a speed of
// sound c(x, y) that are constant in time:
//
//	dp/dt + rho c² div v = 0,    rho dv/dt + grad p = 0
//
// The domain is [-1, 1] x [-1, 1] on 48 x 48 cells. The low end of each axis is a wall,
// the high end is open. A trajectory has 31 frames from t = 0 to t = 2. All quantities
// are in the solver's units, without dimension.
//
// Pressure and velocity are stored as 16-bit counts of a power of two, chosen per
// trajectory and channel near 1/1024 of the channel's root mean square; the rounding
// error is below 4e-4 of the root mean square. Density and speed of sound are stored
// unchanged. README.md states the origin of the data.
package sample
