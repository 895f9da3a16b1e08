package tensorboard

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestWriter compares a file with the output of TensorBoard's own classes for the same
// events: torch.utils.tensorboard's EventFileWriter on Event messages with wall_time
// 1.5 (testdata/record.py), except for the file's name.
func TestWriter(t *testing.T) {
	want, err := os.ReadFile("testdata/events.hex")
	require.NoError(t, err)
	dir := t.TempDir()
	w, err := Create(dir, 3)
	require.NoError(t, err)
	require.NoError(t, w.file.Truncate(0))
	_, err = w.file.Seek(0, 0)
	require.NoError(t, err)
	w.now = func() time.Time { return time.UnixMicro(1_500_000) }
	require.NoError(t, w.Scalars(7, []string{"train/loss", "learning rate"}, []float64{12.25, 2e-4}))
	require.NoError(t, w.Close())
	files, err := filepath.Glob(filepath.Join(dir, "events.out.tfevents.*"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	got, err := os.ReadFile(files[0])
	require.NoError(t, err)
	require.Equal(t, string(want), hex.EncodeToString(got)+"\n")
}

func TestCreateErrors(t *testing.T) {
	_, err := Create(filepath.Join(t.TempDir(), "none"), 0)
	require.ErrorContains(t, err, "none")
}
