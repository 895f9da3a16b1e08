package walrus

import (
	"fmt"

	"github.com/gowalrus/gowalrus/internal/enum"
	"github.com/gowalrus/gowalrus/jitter"
	"github.com/gowalrus/gowalrus/layers"
)

// JitterMode chooses how the input is padded and randomly shifted before the encoder (paper
// §3.2).
type JitterMode = jitter.Mode

// The modes of jitter; see package jitter for their meanings.
const (
	JitterFixed  = jitter.Fixed
	JitterPadded = jitter.Padded
	JitterOff    = jitter.Off
)

// NormForm chooses the squares that RMSGroupNorm averages. Weights trained with one form do
// not work with the other.
type NormForm = layers.NormForm

// The forms of RMSGroupNorm; see package layers for their meanings.
const (
	NormChannel = layers.NormChannel
	NormGroup   = layers.NormGroup
)

// RoPEMode says whether the frequencies of the axial rotary embedding are constants or
// weights.
type RoPEMode = layers.RoPEMode

// The modes of the rotary embedding; see package layers for their meanings.
const (
	RoPEFixed   = layers.RoPEFixed
	RoPEShared  = layers.RoPEShared
	RoPEPerAxis = layers.RoPEPerAxis
)

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

// String returns "rel" or "none".
func (t TimeBias) String() string { return enum.Name(timeBiasNames, t) }

// MarshalText returns [TimeBias.String], or an error for an unknown value.
func (t TimeBias) MarshalText() ([]byte, error) { return enum.Text("time bias", timeBiasNames, t) }

// UnmarshalText reads the text that MarshalText writes. The release's "rotary" is
// an error because this library does not implement it.
func (t *TimeBias) UnmarshalText(b []byte) error {
	if string(b) == "rotary" {
		return fmt.Errorf(`time bias: expected rel or none, got "rotary", which this library does not implement`)
	}
	return enum.Parse("time bias", timeBiasNames, b, t)
}

// String returns "delta" or "full".
func (p Prediction) String() string { return enum.Name(predictionNames, p) }

// MarshalText returns [Prediction.String], or an error for an unknown value.
func (p Prediction) MarshalText() ([]byte, error) {
	return enum.Text("prediction", predictionNames, p)
}

// UnmarshalText reads the text that MarshalText writes.
func (p *Prediction) UnmarshalText(b []byte) error {
	return enum.Parse("prediction", predictionNames, b, p)
}
