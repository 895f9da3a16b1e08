package walrus

import (
	"fmt"
	"slices"
	"strings"
)

// JitterMode chooses how the input is padded and randomly shifted before the
// encoder (paper §3.2).
type JitterMode uint8

const (
	// JitterFixed rolls first and pads periodic axes afterwards. This is the
	// released choice (class FixedPatchJittererBoundaryPad).
	JitterFixed JitterMode = iota
	// JitterPadded pads every axis first and rolls the padded array (class
	// PatchJittererBoundaryPad, use_periodic_fixed_jitter: false).
	JitterPadded
	// JitterOff pads without random shifts and disables the rolls between
	// blocks: the network is then a deterministic function.
	JitterOff
)

var jitterNames = []string{"fixed", "padded", "off"}

// TimeBias chooses the positional bias of time attention.
type TimeBias uint8

const (
	// BiasRelative adds a learned bias per head and bucket of the distance in
	// time (bias_type rel, released; paper Table 2, LearnedRPE).
	BiasRelative TimeBias = iota
	// BiasNone adds nothing. In the released code attention without a bias is
	// always causal, even if Causal is false.
	BiasNone
)

var timeBiasNames = []string{"rel", "none"}

// NormForm chooses the squares that RMSGroupNorm averages.
type NormForm uint8

const (
	// NormChannel averages each channel over space alone, as the released code
	// does. The number of groups has no effect.
	NormChannel NormForm = iota
	// NormGroup averages over space and the channels of a group, the form that
	// the paper describes. Weights trained with one form do not work with the other.
	NormGroup
)

var normNames = []string{"channel", "group"}

// RoPEMode says whether the frequencies of the axial rotary embedding are constants
// or weights.
type RoPEMode uint8

const (
	// RoPEFixed keeps the frequencies constant (released).
	RoPEFixed RoPEMode = iota
	// RoPEShared makes them weights of each block, shared by its axes
	// (finetuning_mods.learnable_rope).
	RoPEShared
	// RoPEPerAxis makes them weights of each block and axis
	// (finetuning_mods.learnable_rope with rope_per_axis).
	RoPEPerAxis
)

var ropeNames = []string{"fixed", "shared", "per_axis"}

// Prediction is the meaning of the network's output.
type Prediction uint8

const (
	// PredictDelta: the change from the last frame, in units of the RMS of
	// recent changes (released; paper Eq. 10).
	PredictDelta Prediction = iota
	// PredictFull: the next frame itself, normalised like the input.
	PredictFull
)

var predictionNames = []string{"delta", "full"}

// String returns "fixed", "padded" or "off".
func (m JitterMode) String() string { return enumName(jitterNames, m) }

// MarshalText returns [JitterMode.String], or an error for an unknown value.
func (m JitterMode) MarshalText() ([]byte, error) { return enumText("jitter mode", jitterNames, m) }

// UnmarshalText reads the text that MarshalText writes.
func (m *JitterMode) UnmarshalText(b []byte) error {
	return enumParse("jitter mode", jitterNames, b, m)
}

// String returns "rel" or "none".
func (t TimeBias) String() string { return enumName(timeBiasNames, t) }

// MarshalText returns [TimeBias.String], or an error for an unknown value.
func (t TimeBias) MarshalText() ([]byte, error) { return enumText("time bias", timeBiasNames, t) }

// UnmarshalText reads the text that MarshalText writes. The release's "rotary" is
// an error because this library does not implement it.
func (t *TimeBias) UnmarshalText(b []byte) error {
	if string(b) == "rotary" {
		return fmt.Errorf(`time bias: expected rel or none, got "rotary", which this library does not implement`)
	}
	return enumParse("time bias", timeBiasNames, b, t)
}

// String returns "channel" or "group".
func (n NormForm) String() string { return enumName(normNames, n) }

// MarshalText returns [NormForm.String], or an error for an unknown value.
func (n NormForm) MarshalText() ([]byte, error) { return enumText("norm form", normNames, n) }

// UnmarshalText reads the text that MarshalText writes.
func (n *NormForm) UnmarshalText(b []byte) error { return enumParse("norm form", normNames, b, n) }

// String returns "fixed", "shared" or "per_axis".
func (r RoPEMode) String() string { return enumName(ropeNames, r) }

// MarshalText returns [RoPEMode.String], or an error for an unknown value.
func (r RoPEMode) MarshalText() ([]byte, error) { return enumText("RoPE mode", ropeNames, r) }

// UnmarshalText reads the text that MarshalText writes.
func (r *RoPEMode) UnmarshalText(b []byte) error { return enumParse("RoPE mode", ropeNames, b, r) }

// String returns "delta" or "full".
func (p Prediction) String() string { return enumName(predictionNames, p) }

// MarshalText returns [Prediction.String], or an error for an unknown value.
func (p Prediction) MarshalText() ([]byte, error) {
	return enumText("prediction", predictionNames, p)
}

// UnmarshalText reads the text that MarshalText writes.
func (p *Prediction) UnmarshalText(b []byte) error {
	return enumParse("prediction", predictionNames, b, p)
}

// enumName returns the name of a value, or "unknown(n)" for a value without a name.
func enumName[E ~uint8](names []string, e E) string {
	if int(e) < len(names) {
		return names[e]
	}
	return fmt.Sprintf("unknown(%d)", uint8(e))
}

// enumText is enumName with an error for values without a name.
func enumText[E ~uint8](what string, names []string, e E) ([]byte, error) {
	if int(e) >= len(names) {
		return nil, fmt.Errorf("%s: expected 0 to %d (%s), got %d",
			what, len(names)-1, strings.Join(names, ", "), uint8(e))
	}
	return []byte(names[e]), nil
}

// enumParse sets e to the value whose name is text.
func enumParse[E ~uint8](what string, names []string, text []byte, e *E) error {
	i := slices.Index(names, string(text))
	if i < 0 {
		return fmt.Errorf("%s: expected %s, got %q", what, strings.Join(names, " or "), text)
	}
	*e = E(i)
	return nil
}
