package serve

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"time"
)

// input is the body of a request while it is read.
type input struct {
	*jsonReader
	o Options
	// payload is the rest of a binary request, nil for JSON.
	payload *payload
	// read is called after the last byte.
	read func()
}

// open checks the media type and starts reading a body.
func (s *Server) open(w http.ResponseWriter, r *http.Request, l *lease) (*input, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" && kind != mediaType {
		return nil, &problem{status: http.StatusUnsupportedMediaType, Code: "media_type", Field: "Content-Type",
			Message: fmt.Sprintf("Content-Type: expected application/json or %s, got %q", mediaType, r.Header.Get("Content-Type"))}
	}
	if e := r.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		return nil, &problem{status: http.StatusUnsupportedMediaType, Code: "media_type", Field: "Content-Encoding",
			Message: fmt.Sprintf("Content-Encoding: expected none, got %q", e)}
	}
	if r.ContentLength > s.o.MaxBody {
		return nil, s.tooLarge(fmt.Sprint(r.ContentLength))
	}
	from := &bodyReader{s: s, r: http.MaxBytesReader(w, r.Body, s.o.MaxBody)}
	// The server watches the connection for the client's leaving, so there is no deadline
	// after the last byte.
	read := func() { _ = http.NewResponseController(w).SetReadDeadline(time.Time{}) }
	if kind == mediaType {
		return s.openRecord(from, r.ContentLength, l, read)
	}
	return &input{jsonReader: newJSON(from, l), o: s.o, read: read}, nil
}

// bodyReader turns the errors of a connection into problems.
type bodyReader struct {
	s *Server
	r io.Reader
}

// Read implements io.Reader.
func (b *bodyReader) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	var long *http.MaxBytesError
	switch {
	case err == nil || err == io.EOF:
	case errors.As(err, &long):
		err = b.s.tooLarge("more")
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = &problem{status: http.StatusRequestTimeout, Code: "slow", Message: fmt.Sprintf("body: expected it within %v", b.s.o.BodyTimeout)}
	default:
		err = errLeft
	}
	return n, err
}

func (s *Server) tooLarge(got string) *problem {
	return &problem{status: http.StatusRequestEntityTooLarge, Code: "too_large", Message: fmt.Sprintf("body: expected at most %d bytes, got %s", s.o.MaxBody, got)}
}

// openRecord reads the lengths of a binary request. length is the length of the body, -1
// if it is unknown.
func (s *Server) openRecord(from io.Reader, length int64, l *lease, read func()) (*input, error) {
	r := bufio.NewReader(from)
	header, bytes, err := readLengths(r)
	if err != nil {
		return nil, err
	}
	total := 8 + int64(header) + int64(bytes)
	switch {
	case length >= 0 && length != total:
		return nil, unreadable("record: expected 8 + %d + %d bytes, as its lengths say, got %d", header, bytes, length)
	case total > s.o.MaxBody:
		return nil, s.tooLarge(fmt.Sprint(total))
	}
	j := newJSON(io.LimitReader(r, int64(header)), l)
	j.what, j.end = "record: header", "unexpected end of JSON input"
	return &input{jsonReader: j, o: s.o, payload: &payload{r: r, bytes: int64(bytes), total: total, lease: l, most: s.o.MaxValues}, read: read}, nil
}

// sections reads the list of the payload's arrays.
func (in *input) sections() (out []section, err error) {
	_, err = in.array("arrays", "an array of objects", func(i int) error {
		if i == maxArrays {
			return invalid("arrays", "expected at most %d, got %d or more", maxArrays, maxArrays+1)
		}
		var s section
		field := fmt.Sprintf("arrays[%d]", i)
		err := in.object(field, 2, func(key string) (err error) {
			switch key {
			case "name":
				s.Name, err = in.str(field + ".name")
			case "count":
				var n int
				n, err = in.integer(field + ".count")
				s.Count = int64(n)
			default:
				err = invalid(field+"."+key, "this key is not known")
			}
			return err
		})
		out = append(out, s)
		return err
	})
	return out, err
}

// arrays reads the payload of a binary request, after its header, to the end of the body.
// names are those that the endpoint uses.
func (in *input) arrays(list []section, names ...string) (map[string][]float32, error) {
	defer in.read()
	if in.payload == nil {
		if list != nil {
			return nil, invalid("arrays", "expected this key in a binary request, got it in JSON")
		}
		return nil, nil
	}
	return in.payload.arrays(list, names)
}
