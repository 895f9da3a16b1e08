package well

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/hub"
	"github.com/gowalrus/gowalrus/data/well/driver"
	"github.com/gowalrus/gowalrus/internal/yamltext"
)

// place is where the files of a data set are: on this machine, or at an address. Names of
// files are paths on this machine, or paths in the tree.
type place struct{ tree *hub.Tree }

// newPlace returns the place of a path or an address, and the name there. A nil client is
// that of the environment.
func newPlace(at string, client *hub.Client) (p place, name string, err error) {
	if !hub.IsAddress(at) {
		return place{}, at, nil
	}
	if client == nil {
		client = hub.FromEnvironment()
	}
	p.tree, name, err = client.Open(context.Background(), at)
	if err != nil {
		err = fmt.Errorf("well: %w", err)
	}
	return p, name, err
}

func (p place) close() error {
	if p.tree == nil {
		return nil
	}
	return p.tree.Close()
}

// show returns the path or the address of a name, for messages.
func (p place) show(name string) string {
	if p.tree == nil {
		return name
	}
	return p.tree.Address(name)
}

func (p place) join(elements ...string) string {
	if p.tree == nil {
		return filepath.Join(elements...)
	}
	return path.Join(elements...)
}

func (p place) dir(name string) string {
	if p.tree == nil {
		return filepath.Dir(name)
	}
	return path.Dir(name)
}

func (p place) base(name string) string {
	if p.tree == nil {
		return filepath.Base(name)
	}
	return path.Base(name)
}

func (p place) stat(name string) (fs.FileInfo, error) {
	if p.tree == nil {
		return os.Stat(name)
	}
	return p.tree.Stat(name)
}

func (p place) isDir(name string) bool {
	info, err := p.stat(name)
	return err == nil && info.IsDir()
}

func (p place) list(name string) ([]fs.DirEntry, error) {
	if p.tree == nil {
		return os.ReadDir(name)
	}
	return p.tree.ReadDir(name)
}

// file is an open file of a place.
type file interface {
	fs.File
	io.ReaderAt
}

func (p place) open(name string) (file, error) {
	if p.tree == nil {
		return os.Open(name)
	}
	f, err := p.tree.Open(name)
	if err != nil {
		return nil, err
	}
	remote, ok := f.(*hub.RemoteFile)
	if !ok {
		return nil, fmt.Errorf("%s: expected a file, got a folder", p.show(name))
	}
	return remote, nil
}

// openHDF5 opens a file with a driver. Errors name the file.
func (p place) openHDF5(d driver.Driver, name string) (driver.File, error) {
	if p.tree == nil {
		return d.Open(name)
	}
	reader, ok := d.(driver.ReaderDriver)
	if !ok {
		return nil, fmt.Errorf("%s: expected a driver that reads addresses, such as %q, got one that does not: download the file (gowalrus fetch), or choose another driver", p.show(name), DefaultDriver)
	}
	f, err := p.open(name)
	if err != nil {
		return nil, err
	}
	remote := f.(*hub.RemoteFile)
	opened, err := reader.OpenReader(nameless{remote}, remote.Size(), p.show(name))
	if err != nil {
		return nil, errors.Join(err, remote.Close())
	}
	return remoteFile{opened, remote}, nil
}

// remoteFile closes the reader of a file, too.
type remoteFile struct {
	driver.File
	reader io.Closer
}

func (f remoteFile) Close() error { return errors.Join(f.File.Close(), f.reader.Close()) }

// nameless is a file whose errors do not name it, as those of the driver do.
type nameless struct{ *hub.RemoteFile }

func (n nameless) ReadAt(p []byte, off int64) (int, error) {
	got, err := n.RemoteFile.ReadAt(p, off)
	return got, withoutPath(err)
}

func (n nameless) Prefetch(ctx context.Context, off, size int64) error {
	return withoutPath(n.RemoteFile.Prefetch(ctx, off, size))
}

func withoutPath(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// atOnce is the number of files at an address whose first bytes are requested at the same
// time.
const atOnce = 16

// warm requests the first bytes of files at an address in parallel, so that opening them one
// after the other waits less. Errors come again when the files are opened.
func (p place) warm(names []string) {
	if p.tree == nil {
		return
	}
	var all errgroup.Group
	all.SetLimit(atOnce)
	for _, name := range names {
		all.Go(func() error {
			f, err := p.open(name)
			if err != nil {
				return nil
			}
			defer f.Close()
			_, _ = f.ReadAt(make([]byte, 1), 0)
			return nil
		})
	}
	_ = all.Wait()
}

// statistics reads a stats.yaml.
func (p place) statistics(name string) (*data.Statistics, error) {
	if p.tree == nil {
		return data.ReadStatistics(name)
	}
	f, err := p.open(name)
	if err != nil {
		return nil, fmt.Errorf("data: statistics: %w", err)
	}
	defer f.Close()
	text, err := yamltext.Read(f)
	if err != nil {
		return nil, fmt.Errorf("data: statistics: %s: %w", p.show(name), err)
	}
	s, err := data.ParseStatistics(text)
	if err != nil {
		return nil, fmt.Errorf("data: statistics %s: %w", p.show(name), err)
	}
	return s, nil
}
