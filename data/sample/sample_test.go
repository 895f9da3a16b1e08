package sample

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus/eval"
)

// recorded is the record that make.py wrote about one trajectory.
type recorded struct {
	Name, Source   string
	ErrorOverRMS   []float64 `json:"error_over_rms"`
	CRC32Decoded   uint32    `json:"crc32_decoded"`
	CRC32Constants uint32    `json:"crc32_constants"`
	Points         []struct {
		At          [4]int // frame, channel, row, column
		Value, Step float64
	}
	// Baselines has a row per first history frame 0..5: persistence and linear
	// extrapolation at one step, then both as means of ten steps.
	Baselines [6][4]float64
}

func loadAll(t *testing.T) (*Set, []*data.Window, []recorded) {
	t.Helper()
	set, err := Load()
	require.NoError(t, err)
	text, err := os.ReadFile("testdata/recorded.json")
	require.NoError(t, err)
	var want []recorded
	require.NoError(t, json.Unmarshal(text, &want))
	all := append(append(append([]*data.Window(nil), set.Train...), set.Valid...), set.Test...)
	require.Len(t, all, len(want))
	return set, all, want
}

func TestContents(t *testing.T) {
	set, all, want := loadAll(t)
	assert.Len(t, set.Train, 6)
	assert.Len(t, set.Valid, 2)
	assert.Len(t, set.Test, 2)
	for i, tr := range all {
		assert.Equal(t, want[i].Name, tr.Name)
		assert.Equal(t, want[i].Source, fmt.Sprintf("%s trajectory %d", tr.Origin.File, tr.Origin.Trajectory))
		require.NoError(t, tr.Validate())
		assert.Equal(t, []int{48, 48}, tr.Grid)
		assert.Equal(t, []string{"pressure", "velocity_x", "velocity_y"}, tr.Channels(false))
		assert.Equal(t, []string{"density", "speed_of_sound"}, tr.Channels(true))
		side := data.Boundary{Low: data.Wall, High: data.Open}
		assert.Equal(t, data.Boundaries{side, side}, tr.Boundaries)
		require.Len(t, tr.Frames, 31)
		require.Len(t, tr.Times, 31)
		for k, frame := range tr.Frames {
			require.Len(t, frame, 3*48*48)
			require.True(t, finite(frame), "%s frame %d", tr.Name, k)
		}
		require.Len(t, tr.Constants, 2*48*48)
		require.True(t, finite(tr.Constants))
		for _, f := range tr.Fields {
			require.NoError(t, f.Validate())
		}
	}
	first := all[0]
	assert.InDelta(t, 2.0/30, first.Times[1]-first.Times[0], 1e-6)
	assert.InDelta(t, -47.0/48, first.Coordinates[0][0], 1e-6)
	assert.InDelta(t, 47.0/48, first.Coordinates[1][47], 1e-6)
}

func finite(v []float32) bool {
	for _, x := range v {
		if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
			return false
		}
	}
	return true
}

// The decoded values equal, bit for bit, those that make.py decoded, and the recorded
// points of the solver's files are within half a quantisation step of them.
func TestValuesAreTheSolvers(t *testing.T) {
	_, all, want := loadAll(t)
	for i, tr := range all {
		var flat []float32
		for _, frame := range tr.Frames {
			flat = append(flat, frame...)
		}
		assert.Equal(t, want[i].CRC32Decoded, crc(t, flat), tr.Name)
		assert.Equal(t, want[i].CRC32Constants, crc(t, tr.Constants), tr.Name)
		require.NotEmpty(t, want[i].Points)
		for _, p := range want[i].Points {
			got := tr.Frames[p.At[0]][p.At[1]*tr.Points()+p.At[2]*tr.Grid[1]+p.At[3]]
			assert.InDelta(t, p.Value, got, p.Step/2, "%s at %v", tr.Name, p.At)
		}
		for _, e := range want[i].ErrorOverRMS {
			assert.Less(t, e, 4e-4, "the rounding error doc.go states")
		}
	}
}

func crc(t *testing.T, v []float32) uint32 {
	var b bytes.Buffer
	require.NoError(t, binary.Write(&b, binary.LittleEndian, v))
	return crc32.ChecksumIEEE(b.Bytes())
}

// The constant fields satisfy the equations of doc.go: rho·c² is the same everywhere,
// the bulk modulus 4 of the solver's script.
func TestConstantsGiveOneBulkModulus(t *testing.T) {
	_, all, _ := loadAll(t)
	for _, tr := range all {
		n := tr.Points()
		for i := range n {
			rho, c := float64(tr.Constants[i]), float64(tr.Constants[n+i])
			require.InEpsilon(t, 4, rho*c*c, 1e-5, "%s at %d", tr.Name, i)
		}
	}
}

// Persistence and linear extrapolation have the scores that numpy recorded.
func TestBaselinesAsRecorded(t *testing.T) {
	const history, steps = 6, 10
	_, all, want := loadAll(t)
	vrmse := eval.WithEps(eval.VRMSE, eval.DefaultEps)
	for i, tr := range all {
		for t0, scores := range want[i].Baselines {
			seen, truth := tr.Frames[t0:t0+history], tr.Frames[t0+history:t0+history+steps]
			for k, forecast := range []func([][]float32, int) ([][]float32, error){eval.Persistence, eval.Linear} {
				pred, err := forecast(seen, steps)
				require.NoError(t, err)
				curve, err := eval.PerStep(vrmse, pred, truth, 3)
				require.NoError(t, err)
				perStep := eval.MeanFields(curve)
				assert.InEpsilon(t, scores[k], perStep[0], 1e-5, "%s from %d", tr.Name, t0)
				assert.InEpsilon(t, scores[2+k], eval.Mean(perStep), 1e-5, "%s from %d", tr.Name, t0)
			}
		}
	}
}

func TestLoadsAreIndependent(t *testing.T) {
	a, err := Load()
	require.NoError(t, err)
	b, err := Load()
	require.NoError(t, err)
	before := b.Test[0].Frames[5][7]
	a.Test[0].Frames[5][7] = 1e9
	a.Test[0].Boundaries[0].Low = data.Open
	assert.Equal(t, before, b.Test[0].Frames[5][7])
	assert.Equal(t, data.Wall, b.Test[0].Boundaries[0].Low)
}

func TestDamagedFileIsAnError(t *testing.T) {
	var empty bytes.Buffer
	z := gzip.NewWriter(&empty)
	_, err := z.Write([]byte("\x02\x00\x00\x00\x00\x00\x00\x00{}"))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	flipped := bytes.Clone(packed)
	flipped[len(flipped)/2] ^= 0xff
	for name, gz := range map[string][]byte{
		"not gzip": []byte("hello"), "cut": packed[:len(packed)/2], "flipped": flipped, "no tensors": empty.Bytes(),
	} {
		_, err := load(gz)
		require.ErrorContains(t, err, fileName, name)
	}
}

func TestSizeOfTheFile(t *testing.T) {
	assert.Less(t, len(packed), 3_000_000)
}
