package hub

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/data"
)

func TestAddresses(t *testing.T) {
	for _, tt := range []struct {
		r          Repo
		list, file string
	}{
		{Dataset("shear_flow"), "E/api/datasets/polymathic-ai/shear_flow/tree/main?recursive=true", "E/datasets/polymathic-ai/shear_flow/resolve/main/data/a%20b%3F.hdf5"},
		{Weights(), "E/api/models/polymathic-ai/walrus/tree/main?recursive=true", "E/polymathic-ai/walrus/resolve/main/data/a%20b%3F.hdf5"},
		{Repo{ModelKind, "a/b", "refs/pr/1"}, "E/api/models/a/b/tree/refs%2Fpr%2F1?recursive=true", "E/a/b/resolve/refs%2Fpr%2F1/data/a%20b%3F.hdf5"},
	} {
		require.NoError(t, tt.r.Validate())
		assert.Equal(t, tt.list, tt.r.listURL("E"))
		assert.Equal(t, tt.file, tt.r.fileURL("E", "data/a b?.hdf5"))
	}
}

func TestRepoValidate(t *testing.T) {
	for _, e := range data.Catalog() {
		assert.NoError(t, Dataset(e.Name).Validate())
	}
	for _, tt := range []struct {
		r    Repo
		want string
	}{
		{Repo{}, `hub: repository /@main: expected kind "datasets" or "models", got ""`},
		{Repo{Kind: "spaces", Name: "a/b"}, `hub: repository spaces/a/b@main: expected kind "datasets" or "models", got "spaces"`},
		{Dataset(""), `expected a name such as polymathic-ai/shear_flow, got "polymathic-ai/"`},
		{Dataset("../../etc"), `got "polymathic-ai/../../etc"`},
		{Dataset(".."), `got "polymathic-ai/.."`},
		{Dataset("a/b"), `got "polymathic-ai/a/b"`},
		{Dataset("a?b"), `got "polymathic-ai/a?b"`},
		{Repo{DatasetKind, "a/b", "../x"}, `expected a branch, tag or commit, got "../x"`},
		{Repo{DatasetKind, "a/b", "/x"}, `expected a branch, tag or commit, got "/x"`},
	} {
		assert.ErrorContains(t, tt.r.Validate(), tt.want)
		_, err := (&Client{Endpoint: "http://127.0.0.1:1"}).List(context.Background(), tt.r)
		assert.ErrorContains(t, err, tt.want, "before anything is asked or written")
	}
}

func TestEndpoint(t *testing.T) {
	for given, want := range map[string]string{"": DefaultEndpoint, "http://a:1/": "http://a:1", "https://a/b//": "https://a/b"} {
		got, err := (&Client{Endpoint: given}).endpoint()
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	for _, given := range []string{"a", "ftp://a", "http://", "https://a?b", "://"} {
		c := Client{Endpoint: given, Cache: t.TempDir()}
		_, err := c.FetchAll(context.Background(), flow)
		assert.ErrorContains(t, err, `hub: endpoint: expected an address such as `+DefaultEndpoint+`, got "`+given+`"`)
	}
}

func TestFromEnvironment(t *testing.T) {
	t.Setenv("HF_ENDPOINT", "http://mirror")
	t.Setenv("HF_TOKEN", "secret")
	for value, offline := range map[string]bool{"": false, "0": false, "1": true, "TRUE": true, "yes": true, "On": true, "off": false} {
		t.Setenv("HF_HUB_OFFLINE", value)
		assert.Equal(t, &Client{Endpoint: "http://mirror", Token: "secret", Offline: offline}, FromEnvironment())
	}
}

func TestDefaultCache(t *testing.T) {
	base := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", base)
	t.Setenv("HOME", base)
	dir, err := new(Client).folder(Repo{ModelKind, "a/b", "refs/pr/1"})
	require.NoError(t, err)
	inside, err := filepath.Rel(base, dir)
	require.NoError(t, err)
	assert.Contains(t, filepath.ToSlash(inside), "gowalrus/models/a/b/refs/pr/1")
}
