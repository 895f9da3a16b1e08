// Package jitter pads fields according to their boundaries, shifts them by a random amount,
// and undoes both exactly (paper §3.2 and Algorithm 1; docs/reference.md §4 has the
// differences between the paper and the release, which this package follows).
//
// Patches imprint their grid on a forecast, and an autoregressive rollout amplifies the
// imprint. Shifting the fields by a random amount before they are divided into patches, and
// back afterwards, averages it out.
//
// The shift is an input of the compiled program, a small int32 tensor drawn on the host.
// One program therefore serves all draws, and every run can be repeated.
package jitter
