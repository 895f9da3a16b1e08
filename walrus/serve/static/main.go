// Command static builds the page without a server: a folder of files in which the forecast
// is compiled to WebAssembly and runs in the browser.
//
//	go run ./walrus/serve/static site
//
// Any file server can serve the folder. The program needs Go and the source of this module,
// from which it compiles the forecast; it takes two to three minutes the first time.
package main

import (
	"bytes"
	"compress/gzip"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/gowalrus/gowalrus/walrus/serve"
)

//go:embed files
var files embed.FS

// source is the package of the program that runs in the browser.
const source = "github.com/gowalrus/gowalrus/walrus/serve/static/worker"

func main() {
	if len(os.Args) != 2 || strings.HasPrefix(os.Args[1], "-") {
		fmt.Fprintln(os.Stderr, "static: expected the folder to build, such as: go run ./walrus/serve/static site")
		os.Exit(2)
	}
	if err := build(os.Args[1]); err != nil {
		fmt.Fprintf(os.Stderr, "static: %v\n", err)
		os.Exit(1)
	}
}

// build writes the folder. index.html lies at its top and everything else in page.
func build(folder string) error {
	if err := write(folder); err != nil {
		return err
	}
	size, err := compile(filepath.Join(folder, "page", "walrus.wasm.gz"))
	if err != nil {
		return err
	}
	fmt.Printf("%s: the page, with a program of %.1f MB (%.1f MB compressed)\n", folder, size[0], size[1])
	return nil
}

// write writes every file but the program.
func write(folder string) error {
	parts := filepath.Join(folder, "page")
	if err := os.MkdirAll(parts, 0o755); err != nil {
		return err
	}
	if err := copyFiles(serve.Page(), parts); err != nil {
		return err
	}
	own, err := fs.Sub(files, "files")
	if err != nil {
		return err
	}
	if err := copyFiles(own, parts); err != nil { // send.js replaces the page's
		return err
	}
	if err := index(parts, folder); err != nil {
		return err
	}
	return support(parts)
}

// copyFiles copies the files at the top of from.
func copyFiles(from fs.FS, to string) error {
	entries, err := fs.ReadDir(from, ".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		raw, err := fs.ReadFile(from, e.Name())
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, e.Name()), raw, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// index moves index.html to the top of the folder. A link to the project replaces the link
// to the description of the server, which has no use here.
func index(parts, folder string) error {
	from := filepath.Join(parts, "index.html")
	raw, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	const api, project = `<a href="api">API</a>`, `<a href="https://github.com/gowalrus/gowalrus">gowalrus</a>`
	if bytes.Count(raw, []byte(api)) != 1 {
		return fmt.Errorf("index.html: expected the link %s once, got %d", api, bytes.Count(raw, []byte(api)))
	}
	if err := os.WriteFile(filepath.Join(folder, "index.html"), bytes.Replace(raw, []byte(api), []byte(project), 1), 0o644); err != nil {
		return err
	}
	for _, name := range []string{from, filepath.Join(parts, "api.html")} {
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	return nil
}

// support copies Go's support file for WebAssembly, which must be of the compiler's version.
func support(parts string) error {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("go env GOROOT: %w", err)
	}
	raw, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), "lib", "wasm", "wasm_exec.js"))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(parts, "wasm_exec.js"), raw, 0o644)
}

// compile compiles the program and writes it compressed. It returns both sizes in MB.
func compile(name string) (size [2]float64, err error) {
	dir, err := os.MkdirTemp("", "walrus")
	if err != nil {
		return size, err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "walrus.wasm")
	c := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, source)
	c.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "GOEXPERIMENT=", "GOFLAGS=")
	c.Stdout, c.Stderr = os.Stderr, os.Stderr
	if err := c.Run(); err != nil {
		return size, fmt.Errorf("go build %s: %w (it needs the source of this module: run it in a clone, or in a module that requires it)", source, err)
	}
	raw, err := os.ReadFile(program)
	if err != nil {
		return size, err
	}
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return size, err
	}
	if _, err := z.Write(raw); err != nil {
		return size, err
	}
	if err := z.Close(); err != nil {
		return size, err
	}
	return [2]float64{float64(len(raw)) / 1e6, float64(out.Len()) / 1e6}, os.WriteFile(name, out.Bytes(), 0o644)
}
