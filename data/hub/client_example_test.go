package hub_test

import (
	"context"
	"crypto/sha1"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gowalrus/gowalrus/data/hub"
)

// files is the content of the examples' hub.
var files = map[string]string{
	"README.md":               "about",
	"data/test/flow_0.hdf5":   "frames",
	"data/train/flow_0.hdf5":  "many frames",
	"data/train/flow_1.hdf5":  "more frames",
	"stats.yaml":              "mean:\n  pressure: 1\n",
	"examples/notes/first.md": "x",
}

// standIn returns a client of a local server that serves one repository like the hub, so
// that the examples need no network. Programs leave Endpoint and Cache empty.
func standIn(repo hub.Repo) (*hub.Client, func()) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == fmt.Sprintf("/api/%s/%s/tree/main", repo.Kind, repo.Name) {
			var list []map[string]any
			for name, text := range files {
				sum := sha1.Sum(fmt.Appendf(nil, "blob %d\x00%s", len(text), text))
				list = append(list, map[string]any{"type": "file", "path": name, "size": len(text), "oid": fmt.Sprintf("%x", sum)})
			}
			_ = json.NewEncoder(w).Encode(list)
			return
		}
		_, name, _ := strings.Cut(r.URL.Path, "/resolve/main/")
		text, ok := files[name]
		if !ok {
			http.NotFound(w, r)
			return
		}
		_, _ = fmt.Fprint(w, text)
	}))
	cache, err := os.MkdirTemp("", "hub")
	if err != nil {
		log.Fatal(err)
	}
	return &hub.Client{Endpoint: server.URL, Cache: cache}, func() {
		server.Close()
		_ = os.RemoveAll(cache)
	}
}

// show prints the files below a folder.
func show(dir string) {
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Name() == ".hub" {
			return filepath.SkipDir
		}
		if err == nil && !d.IsDir() {
			name, _ := filepath.Rel(dir, path)
			fmt.Println(filepath.ToSlash(name))
		}
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
}

// WellDataset downloads the test split of a data set and its statistics to a folder for
// well.Open. It skips files that are in the cache.
func ExampleClient_WellDataset() {
	c, closeAll := standIn(hub.Dataset("flow"))
	defer closeAll()
	dir, err := c.WellDataset(context.Background(), "flow", "test")
	if err != nil {
		log.Fatal(err)
	}
	show(dir)
	// Output:
	// data/test/flow_0.hdf5
	// stats.yaml
}

func ExampleClient_FetchAll() {
	c, closeAll := standIn(hub.Dataset("flow"))
	defer closeAll()
	repo := hub.Dataset("flow")
	dir, err := c.FetchAll(context.Background(), repo, "data/train/*_1.hdf5", "examples/")
	if err != nil {
		log.Fatal(err)
	}
	show(dir)
	_, err = c.FetchAll(context.Background(), repo, "*.zip")
	fmt.Println(err)
	// Output:
	// data/train/flow_1.hdf5
	// examples/notes/first.md
	// hub: datasets/polymathic-ai/flow@main: expected files that match "*.zip", got none among 6
}

// Fetch downloads one file. An offline client uses only the cache.
func ExampleClient_Fetch() {
	c, closeAll := standIn(hub.Dataset("flow"))
	defer closeAll()
	repo := hub.Dataset("flow")
	path, err := c.Fetch(context.Background(), repo, "stats.yaml")
	if err != nil {
		log.Fatal(err)
	}
	c.Offline = true
	again, err := c.Fetch(context.Background(), repo, "stats.yaml")
	fmt.Println(path == again, err)
	_, err = c.Fetch(context.Background(), repo, "README.md")
	fmt.Println(err != nil)
	// Output:
	// true <nil>
	// true
}

func ExampleClient_List() {
	c, closeAll := standIn(hub.Dataset("flow"))
	defer closeAll()
	list, err := c.List(context.Background(), hub.Dataset("flow"))
	if err != nil {
		log.Fatal(err)
	}
	slices.SortFunc(list, func(a, b hub.File) int { return strings.Compare(a.Path, b.Path) })
	for _, f := range list[:2] {
		fmt.Println(f.Path, f.Size, f.Blob[:8])
	}
	// Output:
	// README.md 5 93caaca3
	// data/test/flow_0.hdf5 6 9b921370
}

// The hub's other clients read the same environment variables.
func ExampleFromEnvironment() {
	before, was := os.LookupEnv("HF_HUB_OFFLINE")
	_ = os.Setenv("HF_HUB_OFFLINE", "1")
	defer func() {
		if _ = os.Unsetenv("HF_HUB_OFFLINE"); was {
			_ = os.Setenv("HF_HUB_OFFLINE", before)
		}
	}()
	c := hub.FromEnvironment()
	fmt.Println(c.Offline)
	// Output: true
}

func ExampleWeights() {
	fmt.Println(hub.Weights())
	// Output: models/polymathic-ai/walrus@main
}

func ExampleRepo_Validate() {
	fmt.Println(hub.Dataset("shear_flow").Validate())
	fmt.Println(hub.Repo{Kind: hub.ModelKind, Name: "walrus"}.Validate())
	// Output:
	// <nil>
	// hub: repository models/walrus@main: expected a name such as polymathic-ai/shear_flow, got "walrus"
}
