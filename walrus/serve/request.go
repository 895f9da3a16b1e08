package serve

import (
	"fmt"
	"slices"

	"github.com/gowalrus/gowalrus/data"
)

// forecastRequest is the body of /v1/forecast.
type forecastRequest struct {
	fields                   []data.Field
	grid                     []int
	boundaries               []string
	frames                   [][]float32
	packed                   bool // frames holds all of them in one array
	constants                []float32
	repeat, steps, downscale int
	members                  int
}

// forecastRequest reads the body of /v1/forecast.
func (in *input) forecastRequest() (*forecastRequest, error) {
	q := &forecastRequest{}
	var list []section
	var inline, constants bool // whether the header has the values
	err := in.document(10, func(key string) (err error) {
		switch key {
		case "fields":
			q.fields, err = in.fields()
		case "grid":
			q.grid, err = in.integers(key, maxAxes)
		case "boundaries":
			q.boundaries, err = in.boundaries()
		case "frames":
			inline, err = in.frames(q)
		case "constants":
			constants = true
			q.constants, err = in.values(key, in.o.MaxValues)
		case "repeat":
			q.repeat, err = in.integer(key)
		case "steps":
			q.steps, err = in.integer(key)
		case "downscale":
			q.downscale, err = in.integer(key)
		case "members":
			q.members, err = in.integer(key)
		case "arrays":
			list, err = in.sections()
		default:
			err = unknown(key)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := once(list, map[string]bool{"frames": inline, "constants": constants}); err != nil {
		return nil, err
	}
	arrays, err := in.arrays(list, "frames", "constants")
	if err != nil {
		return nil, err
	}
	if flat, ok := arrays["frames"]; ok {
		q.frames, q.packed = [][]float32{flat}, true
	}
	if !constants {
		q.constants = arrays["constants"]
	}
	return q, nil
}

func unknown(key string) error { return invalid(key, "this key is not known") }

// once refuses arrays that the header has as well.
func once(list []section, inline map[string]bool) error {
	for _, s := range list {
		if inline[s.Name] {
			return invalid(s.Name, "expected %s in the header or in the payload, got both", map[bool]string{true: "them", false: "it"}[s.Name == "frames"])
		}
	}
	return nil
}

// fields reads the fields of a window.
func (in *input) fields() (out []data.Field, err error) {
	_, err = in.array("fields", "an array of objects", func(i int) error {
		if i == in.o.MaxChannels {
			return invalid("fields", "expected at most %d, got %d or more", in.o.MaxChannels, i+1)
		}
		var f data.Field
		name := fmt.Sprintf("fields[%d]", i)
		err := in.object(name, 3, func(key string) (err error) {
			switch key {
			case "name":
				f.Name, err = in.str(name + ".name")
			case "order":
				f.Order, err = in.integer(name + ".order")
			case "constant":
				f.Constant, err = in.boolean(name + ".constant")
			default:
				err = unknown(name + "." + key)
			}
			return err
		})
		out = append(out, f)
		return err
	})
	return out, err
}

// boundaries reads a text for each axis.
func (in *input) boundaries() (out []string, err error) {
	_, err = in.array("boundaries", "an array of texts", func(i int) error {
		if i == maxAxes {
			return invalid("boundaries", "expected at most %d, got %d or more", maxAxes, maxAxes+1)
		}
		s, err := in.str(fmt.Sprintf("boundaries[%d]", i))
		out = append(out, s)
		return err
	})
	return out, err
}

// frames reads the frames of a window.
func (in *input) frames(q *forecastRequest) (given bool, err error) {
	left := in.o.MaxValues
	return in.array("frames", "an array of frames", func(i int) error {
		if i == in.o.MaxHistory {
			return invalid("frames", "expected 1 to %d frames, got %d or more", in.o.MaxHistory, i+1)
		}
		frame, err := in.values(fmt.Sprintf("frames[%d]", i), left)
		q.frames = append(q.frames, frame)
		left -= len(frame)
		return err
	})
}

// forecastJob converts the body of /v1/forecast to a job.
func (s *Server) forecastJob(m *Model, in *input) (*job, error) {
	q, err := in.forecastRequest()
	if err != nil {
		return nil, err
	}
	w := &data.Window{Name: "request", Grid: q.grid, Fields: q.fields}
	if w.Boundaries, err = boundaries(q.boundaries, len(q.grid)); err != nil {
		return nil, err
	}
	if err := s.checkLayout(m, w); err != nil {
		return nil, err
	}
	if err := s.fill(w, q); err != nil {
		return nil, err
	}
	from := "given"
	if q.repeat > 0 {
		from = "repeated"
	}
	j := &job{layout: w, steps: q.steps, downscale: max(q.downscale, 1), members: q.members, ready: &scene{window: w, from: from}}
	return j, s.checkSteps(m, j, q.downscale)
}

// fill moves frames and constants into the window.
func (s *Server) fill(w *data.Window, q *forecastRequest) error {
	frames := q.frames
	if q.packed {
		flat, size := frames[0], len(w.Channels(false))*w.Points()
		if len(flat)%size != 0 {
			return invalid("frames", "expected a multiple of %d values, as many as a frame has, got %d", size, len(flat))
		}
		frames = slices.Collect(slices.Chunk(flat, size))
	}
	switch {
	case q.repeat < 0 || q.repeat > s.o.MaxHistory:
		return invalid("repeat", "expected 1 to %d frames, got %d", s.o.MaxHistory, q.repeat)
	case q.repeat > 0 && len(frames) != 1:
		return invalid("repeat", "expected one frame to repeat, got %d", len(frames))
	case q.repeat > 0:
		frames = slices.Repeat(frames, q.repeat)
	}
	if len(frames) < 1 || len(frames) > s.o.MaxHistory {
		return invalid("frames", "expected 1 to %d frames, got %d", s.o.MaxHistory, len(frames))
	}
	w.Frames, w.Constants = frames, q.constants
	return s.checkValues(w)
}
