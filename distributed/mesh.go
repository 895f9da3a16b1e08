package distributed

import "fmt"

// Mesh arranges devices as groups of shards: Groups copies of the network, each sharded
// over Shards devices (paper §4.2). Group g has the devices g·Shards to (g+1)·Shards −
// 1. The zero value is one device.
type Mesh struct {
	Groups, Shards int
}

// Local returns the mesh of one device.
func Local() Mesh { return Mesh{1, 1} }

// DataParallel returns a mesh with n copies of the network, each on one device.
func DataParallel(n int) Mesh { return Mesh{n, 1} }

// FullyShard returns a mesh with one copy of the network, sharded over n devices.
func FullyShard(n int) Mesh { return Mesh{1, n} }

// Hybrid returns a mesh with copies of the network (groups), each sharded over shards
// devices (HSDP).
func Hybrid(groups, shards int) Mesh { return Mesh{groups, shards} }

// Devices returns the number of devices.
func (m Mesh) Devices() int { return m.WithDefaults().Groups * m.WithDefaults().Shards }

// Validate returns an error for negative numbers.
func (m Mesh) Validate() error {
	if m.Groups < 0 || m.Shards < 0 {
		return fmt.Errorf("distributed: mesh: expected at least 1 group and 1 shard, got %d and %d", m.Groups, m.Shards)
	}
	return nil
}

// WithDefaults replaces 0 by 1.
func (m Mesh) WithDefaults() Mesh { return Mesh{max(m.Groups, 1), max(m.Shards, 1)} }

// String returns groups × shards: "4×2".
func (m Mesh) String() string {
	m = m.WithDefaults()
	return fmt.Sprintf("%d×%d", m.Groups, m.Shards)
}
