package ladder

import "fmt"

// Network models the connections between devices. The devices of a node have fast links
// to each other, and each device has a slower link to other nodes. Collectives are
// rings.
type Network struct {
	// Node is the number of devices of a node.
	Node int `json:"node"`
	// Inner connects the devices of a node, Outer those of different nodes.
	Inner Link `json:"inner"`
	Outer Link `json:"outer"`
}

// Link is a connection on which a message needs Latency + bytes/Bandwidth.
type Link struct {
	// Latency in seconds.
	Latency float64 `json:"latency"`
	// Bandwidth in bytes per second of each device and direction.
	Bandwidth float64 `json:"bandwidth"`
}

// H100Network returns nodes of 4 H100 with NVLink (450 GB/s in each direction according
// to the data sheet) and one 400 Gbit/s InfiniBand adapter (NDR, 50 GB/s) per device.
// The model uses 80 % of these bandwidths and assumes 3 and 6 µs per message.
func H100Network() Network {
	return Network{Node: 4, Inner: Link{3e-6, 0.8 * 450e9}, Outer: Link{6e-6, 0.8 * 50e9}}
}

// Validate returns an error for numbers that are not positive.
func (n Network) Validate() error {
	for _, l := range []Link{n.Inner, n.Outer} {
		if !(l.Latency >= 0 && l.Bandwidth > 0) {
			return fmt.Errorf("ladder: network: expected latencies of at least 0 and positive bandwidths, got %v s and %v bytes/s", l.Latency, l.Bandwidth)
		}
	}
	if n.Node < 1 {
		return fmt.Errorf("ladder: network: expected at least 1 device in a node, got %d", n.Node)
	}
	return nil
}

// gather returns the time of an all-gather or a reduce-scatter on devices that fill
// nodes. bytes is the size of the whole tensor, which is sent in parts messages. On
// several nodes each device of a node receives a part of the bytes from outside.
func (n Network) gather(bytes float64, devices, parts int) float64 {
	if devices <= 1 {
		return 0
	}
	steps, whole := float64((devices-1)*parts), float64(devices-1)/float64(devices)
	if devices <= n.Node {
		return steps*n.Inner.Latency + bytes*whole/n.Inner.Bandwidth
	}
	nodes := (devices + n.Node - 1) / n.Node
	whole = float64(nodes-1) / float64(nodes)
	return steps*n.Outer.Latency + bytes*whole/(float64(n.Node)*n.Outer.Bandwidth)
}

// reduce returns the time of an all-reduce of bytes, sent in parts messages, between
// one device of each of several groups of shards devices.
func (n Network) reduce(bytes float64, groups, shards, parts int) float64 {
	if groups <= 1 {
		return 0
	}
	l, g := n.Outer, float64(groups)
	if groups*shards <= n.Node {
		l = n.Inner
	}
	return 2 * ((g-1)*float64(parts)*l.Latency + bytes*(g-1)/g/l.Bandwidth)
}
