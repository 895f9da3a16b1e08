//go:build js

// Command worker is the server of the page without a server: package serve with
// walrus-nano, compiled to WebAssembly. It runs in a web worker of the browser, whose
// messages take the place of HTTP. Package static builds it.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"syscall/js"
	"time"

	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/nano"
	"github.com/gowalrus/gowalrus/walrus/serve"
)

func main() {
	ready := js.Global().Get("walrusReady")
	s, err := open()
	if err != nil {
		ready.Invoke(nil, err.Error())
		return
	}
	ready.Invoke(js.FuncOf(func(_ js.Value, args []js.Value) any { return answer(s, args) }))
	select {}
}

// open opens the server. There is one client, which may wait as long as it likes.
func open() (*serve.Server, error) {
	b, err := serve.OpenBackend(false)
	if err != nil {
		return nil, err
	}
	m, err := serve.OpenModel(nano.Name, walrus.EmulatorOptions{Backend: b, Seed: 1, Programs: 4})
	if err != nil {
		return nil, err
	}
	return serve.New(m, serve.Options{Workers: 1, Timeout: 24 * time.Hour})
}

// answer starts to answer a request. Its arguments are the method, the path, the headers as
// JSON, the body, and a function that gets the answer in messages: "head" with status and
// headers as JSON, "body" with bytes, any number of times, and "end". It returns a function
// that cancels the request.
func answer(s *serve.Server, args []js.Value) any {
	ctx, cancel := context.WithCancel(context.Background())
	left := js.FuncOf(func(js.Value, []js.Value) any { cancel(); return nil })
	w := &writer{send: args[4], header: http.Header{}}
	go func() {
		defer left.Release()
		defer cancel()
		defer w.end()
		r, err := request(ctx, args)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.ServeHTTP(w, r)
	}()
	return left
}

// request returns the request as HTTP would bring it.
func request(ctx context.Context, args []js.Value) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, args[0].String(), "http://localhost/"+args[1].String(), bytes.NewBufferString(args[3].String()))
	if err != nil {
		return nil, err
	}
	var headers map[string]string
	if err := json.Unmarshal([]byte(args[2].String()), &headers); err != nil {
		return nil, err
	}
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	r.RemoteAddr = "127.0.0.1:0"
	return r, nil
}

// writer sends an answer in messages.
type writer struct {
	send   js.Value
	header http.Header
	begun  bool
}

func (w *writer) Header() http.Header { return w.header }

func (w *writer) WriteHeader(status int) {
	if w.begun {
		return
	}
	w.begun = true
	headers := map[string]string{}
	for name := range w.header {
		headers[name] = w.header.Get(name)
	}
	text, err := json.Marshal(map[string]any{"status": status, "headers": headers})
	if err != nil {
		panic(err) // strings and a number always have a form in JSON
	}
	w.send.Invoke("head", string(text))
}

func (w *writer) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	bytes := js.Global().Get("Uint8Array").New(len(b))
	js.CopyBytesToJS(bytes, b)
	w.send.Invoke("body", bytes)
	return len(b), nil
}

// Flush has nothing to do: every piece is sent at once.
func (w *writer) Flush() {}

func (w *writer) end() {
	w.WriteHeader(http.StatusOK)
	w.send.Invoke("end")
}
