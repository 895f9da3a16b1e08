// Package tensorboard writes scalars in the format of TensorBoard's event files. A
// record is a length, a masked CRC-32C of the length, a protocol buffer and a masked
// CRC-32C of the buffer.
package tensorboard

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers of the messages Event, Summary, Summary.Value and SessionLog in
// TensorFlow's event.proto and summary.proto.
const (
	eventTime    = 1
	eventStep    = 2
	eventVersion = 3
	eventSummary = 5
	eventSession = 7
	summaryValue = 1
	valueTag     = 1
	valueNumber  = 2
	sessionState = 1
	sessionStart = 1 // a value of SessionLog.status
)

// Writer appends events to one file. It is not safe for concurrent use.
type Writer struct {
	file *os.File
	now  func() time.Time
}

// Create makes a new event file in a folder. step is the first step of the run;
// TensorBoard discards the values of older files of the folder from there on.
func Create(dir string, step int64) (*Writer, error) {
	w := &Writer{now: time.Now}
	name := fmt.Sprintf("events.out.tfevents.%d.gowalrus.%d", w.now().UnixNano(), os.Getpid())
	file, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		return nil, fmt.Errorf("tensorboard: %w", err)
	}
	w.file = file
	version := protowire.AppendTag(nil, eventVersion, protowire.BytesType)
	version = protowire.AppendString(version, "brain.Event:2")
	session := protowire.AppendTag(nil, sessionState, protowire.VarintType)
	session = protowire.AppendVarint(session, sessionStart)
	start := protowire.AppendTag(nil, eventSession, protowire.BytesType)
	start = protowire.AppendBytes(start, session)
	for _, body := range [][]byte{version, start} {
		if err := w.event(step, body); err != nil {
			file.Close()
			return nil, err
		}
	}
	return w, nil
}

// Scalars writes numbers of one step.
func (w *Writer) Scalars(step int64, names []string, values []float64) error {
	var summary []byte
	for i, name := range names {
		value := protowire.AppendTag(nil, valueTag, protowire.BytesType)
		value = protowire.AppendString(value, name)
		value = protowire.AppendTag(value, valueNumber, protowire.Fixed32Type)
		value = protowire.AppendFixed32(value, math.Float32bits(float32(values[i])))
		summary = protowire.AppendTag(summary, summaryValue, protowire.BytesType)
		summary = protowire.AppendBytes(summary, value)
	}
	body := protowire.AppendTag(nil, eventSummary, protowire.BytesType)
	return w.event(step, protowire.AppendBytes(body, summary))
}

// event writes the record of an event.
func (w *Writer) event(step int64, body []byte) error {
	event := protowire.AppendTag(nil, eventTime, protowire.Fixed64Type)
	event = protowire.AppendFixed64(event, math.Float64bits(float64(w.now().UnixMicro())/1e6))
	event = protowire.AppendTag(event, eventStep, protowire.VarintType)
	event = append(protowire.AppendVarint(event, uint64(step)), body...)
	record := binary.LittleEndian.AppendUint64(nil, uint64(len(event)))
	record = binary.LittleEndian.AppendUint32(record, masked(record))
	record = append(record, event...)
	record = binary.LittleEndian.AppendUint32(record, masked(event))
	if _, err := w.file.Write(record); err != nil {
		return fmt.Errorf("tensorboard: %w", err)
	}
	return nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// masked returns the rotated checksum that the format uses.
func masked(data []byte) uint32 {
	crc := crc32.Checksum(data, castagnoli)
	return (crc>>15 | crc<<17) + 0xa282ead8
}

// Close closes the file.
func (w *Writer) Close() error { return w.file.Close() }
