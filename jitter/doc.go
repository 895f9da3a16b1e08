// Package jitter pads fields according to their boundaries, shifts them by a
// random amount and undoes both exactly (paper §3.2 and Algorithm 1; where the
// paper and the released code differ, this follows the code).
//
// Patches imprint their own grid on a forecast, and an autoregressive rollout
// amplifies the imprint. Shifting the fields by a random amount before the
// patches are cut, and back afterwards, averages it away.
//
// A shift is an input of the compiled program, a small int32 tensor drawn on
// the host, so that one program serves all draws and every run can be replayed.
package jitter
