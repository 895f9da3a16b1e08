package train

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gowalrus/gowalrus/internal/tensorboard"
)

// LogFile is the name of the log in the folder of a run: one JSON object per line.
const LogFile = "log.jsonl"

// journal writes the log and TensorBoard's events of a run.
type journal struct {
	file   *os.File
	buffer *bufio.Writer
	events *tensorboard.Writer
}

// updateLine is a line of the log for an update.
type updateLine struct {
	Time    time.Time `json:"time"`
	Update  int64     `json:"update"`
	Epoch   int       `json:"epoch"`
	Loss    float64   `json:"loss"`
	Rate    float64   `json:"learning_rate"`
	Norm    float64   `json:"gradient_norm"`
	Samples int       `json:"samples"`
	Seconds float64   `json:"seconds"`
}

// validationLine is a line of the log for a validation: median VRMSE by system and
// horizon.
type validationLine struct {
	Time       time.Time                     `json:"time"`
	Update     int64                         `json:"update"`
	Epoch      int                           `json:"epoch"`
	Validation map[string]map[string]float64 `json:"validation"`
}

// openJournal opens the log of a run and truncates it to offset bytes, its length at the
// checkpoint from which the run resumes, because later updates will be logged again.
func openJournal(dir string, offset, update int64) (*journal, error) {
	file, err := os.OpenFile(filepath.Join(dir, LogFile), os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, fmt.Errorf("train: log: %w", err)
	}
	info, err := file.Stat()
	if err == nil && info.Size() < offset {
		err = fmt.Errorf("%s: expected the %d bytes that belong to the checkpoint, got %d", file.Name(), offset, info.Size())
	}
	if err == nil {
		err = file.Truncate(offset)
	}
	if err == nil {
		_, err = file.Seek(offset, io.SeekStart)
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("train: log: %w", err)
	}
	events, err := tensorboard.Create(dir, update+1)
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("train: log: %w", err)
	}
	return &journal{file: file, buffer: bufio.NewWriter(file), events: events}, nil
}

func (j *journal) update(p Progress) error {
	line := updateLine{time.Now(), p.Update, p.Epoch, p.Loss, p.Rate, p.Norm, p.Samples, p.Duration.Seconds()}
	err := j.events.Scalars(p.Update, []string{"train/loss", "train/learning_rate", "train/gradient_norm", "train/samples_per_second"},
		[]float64{p.Loss, p.Rate, p.Norm, float64(p.Samples) / max(p.Duration.Seconds(), 1e-9)})
	return errors.Join(j.write(line), err)
}

func (j *journal) validation(p Progress) error {
	var names []string
	var values []float64
	for _, system := range slices.Sorted(maps.Keys(p.Validation)) {
		for _, h := range slices.Sorted(maps.Keys(p.Validation[system])) {
			names, values = append(names, "validation/"+system+"/"+h), append(values, p.Validation[system][h])
		}
	}
	err := j.events.Scalars(p.Update, names, values)
	return errors.Join(j.write(validationLine{time.Now(), p.Update, p.Epoch, p.Validation}), err)
}

func (j *journal) write(line any) error {
	text, err := json.Marshal(line)
	if err == nil {
		_, err = j.buffer.Write(append(text, '\n'))
	}
	if err == nil {
		err = j.buffer.Flush()
	}
	if err != nil {
		return fmt.Errorf("train: log: %w", err)
	}
	return nil
}

// flush writes the log to disk and returns its length.
func (j *journal) flush() (int64, error) {
	if err := j.buffer.Flush(); err != nil {
		return 0, fmt.Errorf("train: log: %w", err)
	}
	if err := j.file.Sync(); err != nil {
		return 0, fmt.Errorf("train: log: %w", err)
	}
	n, err := j.file.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0, fmt.Errorf("train: log: %w", err)
	}
	return n, nil
}

func (j *journal) close() error {
	return errors.Join(j.buffer.Flush(), j.file.Close(), j.events.Close())
}
