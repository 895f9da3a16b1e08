package walrus

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/gowalrus/gowalrus/internal/atomicfile"
)

// SaveCheckpoint writes a checkpoint folder: model.safetensors with the
// release's keys, the other parts, and manifest.json with their SHA-256.
//
// SaveCheckpoint writes the folder next to dir under the name .<dir>.partial, moves
// an old checkpoint at dir to .<dir>.previous, and renames the new folder to dir. At
// every moment the old or the new checkpoint is complete, and after an interruption
// [OpenCheckpoint] and [FindCheckpoint] find it. Files in dir that belong to no
// checkpoint are kept. A folder that holds files but no checkpoint is an error.
//
// Only one save to a folder may run at a time.
func SaveCheckpoint(dir string, c Checkpoint) error {
	dir = filepath.Clean(dir)
	switch {
	case c.Weights == nil && c.Design == nil:
		return fmt.Errorf("walrus: checkpoint %s: expected weights, got none", dir)
	case c.Weights != nil && c.Design != nil:
		return fmt.Errorf("walrus: checkpoint %s: expected weights of a Walrus network or a design, got both", dir)
	}
	if base := filepath.Base(dir); base == "." || base == ".." || base == string(filepath.Separator) {
		return fmt.Errorf("walrus: checkpoint: expected the path of a folder to create or replace, got %q", dir)
	}
	if err := checkReplaceable(dir); err != nil {
		return err
	}
	err := atomicfile.Replace(dir,
		func(partial string) error { return writeFolder(partial, c) },
		func(previous string) error { return dissolve(previous, dir) })
	if err != nil {
		return fmt.Errorf("walrus: checkpoint %s: %w", dir, err)
	}
	return nil
}

// checkReplaceable restores a checkpoint that an interrupted save moved aside. It
// returns an error unless dir is missing, empty or a checkpoint.
func checkReplaceable(dir string) error {
	if aside := present(dir); aside != dir {
		if err := os.Rename(aside, dir); err != nil {
			return fmt.Errorf("walrus: checkpoint %s: putting back the previous one after an interrupted save: %w", dir, err)
		}
	}
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("walrus: checkpoint: expected a folder: %w", err)
	case len(entries) == 0:
		return nil
	}
	if !exists(filepath.Join(dir, ManifestFile)) {
		return fmt.Errorf("walrus: checkpoint %s: expected a new folder, an empty one or a checkpoint, got a folder with %q and no %s",
			dir, entries[0].Name(), ManifestFile)
	}
	return nil
}

// writeFolder writes all files of a checkpoint and flushes them to disk.
func writeFolder(dir string, c Checkpoint) error {
	m := Manifest{FormatVersion: manifestVersion, Design: c.Design, Step: c.Step, Extra: c.Extra}
	parts := c.Parts
	if w := c.Weights; w != nil {
		m.FormatVersion, m.Config, m.Scaling, m.Coverage = walrusVersion, w.Config(), w.scaling, w.Coverage()
		parts = append([]Part{{WeightsFile, func(path string) error { return w.SaveAs(path, c.Storage, nil) }}}, parts...)
	}
	for i, p := range parts {
		if err := checkPartName(p.Name); err != nil {
			return err
		}
		if slices.ContainsFunc(parts[:i], func(q Part) bool { return q.Name == p.Name }) {
			return fmt.Errorf("part %q: expected every name once, got it twice", p.Name)
		}
		if p.Write == nil {
			return fmt.Errorf("part %q: expected a function that writes it, got nil", p.Name)
		}
		if err := p.Write(filepath.Join(dir, p.Name)); err != nil {
			return fmt.Errorf("part %q: %w", p.Name, err)
		}
		if err := atomicfile.SyncFile(filepath.Join(dir, p.Name)); err != nil {
			return fmt.Errorf("part %q: expected it to be written: %w", p.Name, err)
		}
		f, err := describePart(dir, p.Name)
		if err != nil {
			return err
		}
		m.Files = append(m.Files, f)
	}
	if err := m.checkParts(); err != nil {
		return err
	}
	text, err := m.encode()
	if err != nil {
		return fmt.Errorf("manifest: %w", err)
	}
	if err := atomicfile.WriteBytes(filepath.Join(dir, ManifestFile), text); err != nil {
		return err
	}
	return atomicfile.SyncFolder(dir)
}

// dissolve removes the checkpoint at from, if there is one, and moves the other files
// of that folder to the folder to.
func dissolve(from, to string) error {
	entries, err := os.ReadDir(from)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	old, err := readManifest(from)
	if err != nil {
		old = &Manifest{} // damaged manifest: keep all files but those with known names
	}
	for _, e := range entries {
		if _, part := old.Part(e.Name()); part || e.Name() == ManifestFile {
			continue
		}
		target := filepath.Join(to, e.Name())
		if exists(target) {
			continue
		}
		if err := os.Rename(filepath.Join(from, e.Name()), target); err != nil {
			return err
		}
	}
	return os.RemoveAll(from)
}
