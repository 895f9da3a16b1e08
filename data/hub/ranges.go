package hub

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// maxStrikes is the number of answers that are no part of the requested range after which a
// server is not asked again: a proxy may be wrong once.
const maxStrikes = 3

// strike is the error of an answer that is no part of the requested range.
type strike struct{ text string }

func (s *strike) Error() string { return s.text }

// ranged is the download of neighbouring blocks.
type ranged struct {
	s       *source
	left    []*waiting
	data    []byte // of left[0], as far as it has arrived
	strikes int
}

// download downloads neighbouring blocks.
func (s *source) download(blocks []*waiting) {
	d := &ranged{s: s, left: blocks}
	err := s.admit()
	if err == nil {
		err = s.t.c.again(s.t.ctx, s.t.address(s.name), d.attempt)
		<-s.t.slots
	}
	for _, w := range d.left {
		s.finish(w, nil, err)
	}
}

// admit waits for a slot for a request.
func (s *source) admit() error {
	if s.t.c.Offline {
		return errors.New("offline, and the cache lacks this part of the file")
	}
	select {
	case s.t.slots <- struct{}{}:
		return nil
	case <-s.t.ctx.Done():
		return s.t.ctx.Err()
	}
}

// attempt requests the bytes that are missing.
func (d *ranged) attempt() (progress bool, err error) {
	had, blocks := len(d.data), len(d.left)
	err = d.transfer()
	progress = len(d.left) < blocks || len(d.data) > had
	if progress {
		d.strikes = 0
	}
	if err, wrong := errors.AsType[*strike](err); wrong {
		if d.strikes++; d.strikes >= maxStrikes {
			return false, &lasting{err}
		}
	}
	return progress, err
}

// transfer makes one request.
func (d *ranged) transfer() error {
	s := d.s
	at := d.left[0].number*s.t.block + int64(len(d.data))
	last := d.left[len(d.left)-1].number
	end := last*s.t.block + s.length(last)
	response, err := s.get(at, end)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if err := s.answered(response, at, end); err != nil {
		return err
	}
	for len(d.left) > 0 {
		w := d.left[0]
		want := s.length(w.number)
		if d.data == nil {
			d.data = make([]byte, 0, want)
		}
		n, err := io.ReadFull(response.Body, d.data[len(d.data):want])
		d.data = d.data[:len(d.data)+n]
		if int64(len(d.data)) < want {
			return fmt.Errorf("the connection broke off after %d of %d bytes: %w", w.number*s.t.block+int64(len(d.data))-at, end-at, err)
		}
		data := d.data
		d.left, d.data = d.left[1:], nil
		s.keep(w.number, data)
		s.finish(w, data, nil)
	}
	return nil
}

// get requests the bytes [at, end). It goes to the address to which the server redirected
// before, until that refuses.
func (s *source) get(at, end int64) (*http.Response, error) {
	header := http.Header{"Accept-Encoding": {"identity"}, "Range": {fmt.Sprintf("bytes=%d-%d", at, end-1)}}
	s.mu.Lock()
	moved := s.moved
	s.mu.Unlock()
	if moved != "" {
		response, err := s.t.c.get(s.t.ctx, moved, header)
		if err != nil || response.StatusCode < 400 {
			return response, err
		}
		response.Body.Close()
		s.mu.Lock()
		s.moved = ""
		s.mu.Unlock()
	}
	response, err := s.t.c.get(s.t.ctx, s.address, header)
	if err == nil && response.StatusCode < 300 && response.Request.Response != nil {
		s.mu.Lock()
		s.moved = response.Request.URL.String()
		s.mu.Unlock()
	}
	return response, err
}

// answered checks the header of an answer to a request for [at, end).
func (s *source) answered(response *http.Response, at, end int64) error {
	switch response.StatusCode {
	case http.StatusOK, http.StatusPartialContent, http.StatusRequestedRangeNotSatisfiable:
	default:
		return s.t.c.refused(response)
	}
	if err := s.compareTag(response); err != nil {
		return err
	}
	switch response.StatusCode {
	case http.StatusOK:
		if n := response.ContentLength; at != 0 || end != s.size || n >= 0 && n != s.size {
			return &strike{fmt.Sprintf("range: expected an answer 206 with bytes %d-%d/%d, got 200: the server does not send parts of this file: download it, or give another address", at, end-1, s.size)}
		}
	case http.StatusPartialContent:
		want, got := fmt.Sprintf("bytes %d-%d/%d", at, end-1, s.size), response.Header.Get("Content-Range")
		if got != want {
			return &strike{fmt.Sprintf("range: expected %s, got %q: if the file has changed, open it again", want, got)}
		}
		if n := response.ContentLength; n > end-at {
			return &strike{fmt.Sprintf("range: expected %d bytes, got %d", end-at, n)}
		}
	default:
		return &strike{fmt.Sprintf("size: expected %d bytes, got a file without the bytes %d-%d: if the file has changed, open it again", s.size, at, end-1)}
	}
	return nil
}

// tagOf returns what identifies the version of a file in an answer, "" if nothing does.
func tagOf(response *http.Response) string {
	return cmp.Or(response.Header.Get("ETag"), response.Header.Get("Last-Modified"))
}

// linkedTag returns the checksum that the hub names when it redirects to its storage, ""
// without a redirect.
func linkedTag(response *http.Response) string {
	for r := response; r != nil; r = r.Request.Response {
		if tag := r.Header.Get("X-Linked-Etag"); tag != "" {
			return strings.Trim(strings.TrimPrefix(tag, "W/"), `"`)
		}
	}
	return ""
}

// compareTag returns an error unless an answer belongs to the version that was opened.
func (s *source) compareTag(response *http.Response) error {
	if want, got := s.file.SHA256, linkedTag(response); want != "" && got != "" && !strings.EqualFold(got, want) {
		return &strike{fmt.Sprintf("version: expected the checksum %s, as in the hub's list, got %s: the file has changed, open it again", want, got)}
	}
	tag := tagOf(response)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tag == "" {
		s.tag = tag
	}
	if tag != s.tag {
		return &strike{fmt.Sprintf("version: expected %s, as before, got %q: the file has changed, open it again", s.tag, tag)}
	}
	return nil
}

// probe sets the size and the version of a file of a server that lists none.
func (s *source) probe() error {
	strikes := 0
	return s.t.c.again(s.t.ctx, s.t.address(s.name), func() (bool, error) {
		err := s.ask()
		if err, wrong := errors.AsType[*strike](err); wrong {
			if strikes++; strikes >= maxStrikes {
				return false, &lasting{err}
			}
		}
		return false, err
	})
}

// ask requests the first byte of a file.
func (s *source) ask() error {
	response, err := s.get(0, 1)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text := response.Header.Get("Content-Range")
	switch response.StatusCode {
	case http.StatusPartialContent:
		if n, err := fmt.Sscanf(text, "bytes 0-0/%d", &s.size); n != 1 || s.size < 1 {
			return &strike{fmt.Sprintf("size: expected the range bytes 0-0/SIZE, got %q: %v", text, err)}
		}
	case http.StatusOK:
		if s.size = response.ContentLength; s.size < 0 || s.size > s.t.block {
			return &strike{"range: expected an answer 206 with one byte, got 200: the server does not send parts of this file: download it, or give another address"}
		}
	case http.StatusRequestedRangeNotSatisfiable:
		if s.size = 0; text != "bytes */0" {
			return &strike{fmt.Sprintf("size: expected the first byte, got the range %q", text)}
		}
	default:
		return s.t.c.refused(response)
	}
	s.tag = tagOf(response)
	return nil
}
