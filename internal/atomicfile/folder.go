package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
)

// Beside returns .<base>.<what>, the path of a temporary file or folder with the same
// parent as path. Unlike the names of Create it is the same in every process, so that a
// later one finds what an interrupted one left.
func Beside(path, what string) string {
	parent, base := filepath.Split(filepath.Clean(path))
	return filepath.Join(parent, "."+base+"."+what)
}

// Folder makes a new folder at dir, which must be missing or empty, from the files that
// write puts into the temporary folder that it is given.
func Folder(dir string, write func(partial string) error) error {
	d, err := CreateFolder(dir)
	if err != nil {
		return err
	}
	if err := write(d.Partial); err != nil {
		d.Abort()
		return err
	}
	return d.Commit()
}

// PartialFolder is a temporary folder that gets its path with Commit.
type PartialFolder struct {
	// Partial is the path of the temporary folder.
	Partial string
	dir     string
}

// CreateFolder makes a temporary folder for the folder dir, which must be missing or empty
// when it is complete. The caller ends it with Commit or Abort.
func CreateFolder(dir string) (*PartialFolder, error) {
	partial, err := emptyBeside(dir)
	if err != nil {
		return nil, err
	}
	return &PartialFolder{Partial: partial, dir: dir}, nil
}

// Commit renames the folder to its path. After an error no temporary folder is left.
func (d *PartialFolder) Commit() error {
	err := os.Remove(d.dir) // fails unless it is empty
	if err == nil || errors.Is(err, os.ErrNotExist) {
		err = os.Rename(d.Partial, d.dir)
	}
	if err != nil {
		d.Abort()
		return err
	}
	return SyncFolder(filepath.Dir(d.dir))
}

// Abort removes the temporary folder. After Commit it does nothing.
func (d *PartialFolder) Abort() { os.RemoveAll(d.Partial) }

// Replace makes the folder at dir as Folder does. It moves an existing folder to
// Previous(dir) meanwhile; retire then removes it, and may first keep what it wants. If a
// process ends between the two renamings the folder is at Previous(dir), and a later
// Replace begins with retiring or replacing it.
func Replace(dir string, write func(partial string) error, retire func(previous string) error) error {
	partial, err := emptyBeside(dir)
	if err != nil {
		return err
	}
	err = write(partial)
	if err == nil {
		err = moveIn(partial, dir, retire)
	}
	if err != nil {
		os.RemoveAll(partial)
	}
	return err
}

// Previous returns the path of the folder that Replace moved aside.
func Previous(dir string) string { return Beside(dir, "previous") }

func emptyBeside(dir string) (string, error) {
	partial := Beside(dir, "partial")
	if err := os.RemoveAll(partial); err != nil { // of an interrupted process
		return "", err
	}
	return partial, os.MkdirAll(partial, 0o777)
}

// moveIn renames a complete folder into place.
func moveIn(partial, dir string, retire func(previous string) error) error {
	previous := Previous(dir)
	// An interrupted process renamed its folder to dir and left the old one; retire that.
	if err := retire(previous); err != nil {
		return err
	}
	err := os.Rename(dir, previous)
	replaced := err == nil
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Rename(partial, dir); err != nil {
		if replaced {
			err = errors.Join(err, os.Rename(previous, dir))
		}
		return err
	}
	if err := SyncFolder(filepath.Dir(dir)); err != nil {
		return err
	}
	return retire(previous)
}

// SyncFile flushes a file that another function wrote to disk.
func SyncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// SyncFolder flushes a folder's list of names to disk if the system supports that.
func SyncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	_ = f.Sync() // some systems cannot flush folders; the files themselves are flushed
	return nil
}
