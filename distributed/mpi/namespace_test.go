//go:build mpi && cgo

package mpi

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// hosts are network namespaces that act as machines. Each has a host name, an address
// and a single cable to the bridge, which is in the namespace where mpirun runs. The
// rest of this machine is not affected.
type hosts struct {
	hub   string
	names []string
	agent string // starts a command on a host, as ssh would
}

// newHosts makes n hosts, or skips the test and says why they cannot be made.
func newHosts(t *testing.T, n int) hosts {
	h := hosts{hub: fmt.Sprintf("gw%dhub", os.Getpid()), agent: filepath.Join(t.TempDir(), "agent")}
	if out, err := ip("netns", "add", h.hub); err != nil {
		t.Skipf("needs network namespaces (root and the command ip of iproute2): %v %s", err, out)
	}
	t.Cleanup(func() { remove(h.hub) })
	must(t, "-n", h.hub, "link", "add", "bridge", "type", "bridge")
	must(t, "-n", h.hub, "addr", "add", "10.89.0.254/24", "dev", "bridge")
	must(t, "-n", h.hub, "link", "set", "bridge", "up")
	must(t, "-n", h.hub, "link", "set", "lo", "up")
	var cases strings.Builder
	for i := range n {
		name, address := fmt.Sprintf("gw%dhost%d", os.Getpid(), i), fmt.Sprintf("10.89.0.%d", i+1)
		must(t, "netns", "add", name)
		t.Cleanup(func() { remove(name) })
		must(t, "-n", h.hub, "link", "add", fmt.Sprintf("port%d", i), "type", "veth", "peer", "name", "eth0", "netns", name)
		must(t, "-n", h.hub, "link", "set", fmt.Sprintf("port%d", i), "master", "bridge", "up")
		must(t, "-n", name, "addr", "add", address+"/24", "dev", "eth0")
		must(t, "-n", name, "link", "set", "eth0", "up")
		must(t, "-n", name, "link", "set", "lo", "up")
		h.names = append(h.names, name)
		fmt.Fprintf(&cases, "%s) space=%s ;;\n", address, name)
	}
	// Every host has a different name, which tells MPI that memory is not shared.
	script := "#!/bin/sh\ncase $1 in\n" + cases.String() + "*) echo \"unknown host $1\" >&2; exit 1 ;;\nesac\n" +
		"shift\nexec ip netns exec $space unshare --uts sh -c \"hostname $space; $*\"\n"
	require.NoError(t, os.WriteFile(h.agent, []byte(script), 0o700))
	return h
}

// run runs a case on n ranks, spread over the hosts. It makes mpirun check every second
// whether a silent host is alive; the default is five minutes.
func (h hosts) run(t *testing.T, n int, name string) outcome {
	var addresses []string
	for i, space := range h.names {
		must(t, "-n", space, "link", "set", "eth0", "up") // an earlier case may have pulled the cable
		addresses = append(addresses, fmt.Sprintf("10.89.0.%d:%d", i+1, (n+len(h.names)-1)/len(h.names)))
	}
	return command(t, name, "ip", "netns", "exec", h.hub, "mpirun", "-n", fmt.Sprint(n),
		"-H", strings.Join(addresses, ","), "--map-by", "node", "-x", caseVariable,
		"--mca", "plm", "rsh", "--mca", "plm_rsh_agent", h.agent,
		"--mca", "oob_tcp_if_include", "10.89.0.0/24", "--mca", "oob_tcp_keepalive_time", "1",
		"--mca", "oob_tcp_keepalive_intvl", "1", "--mca", "oob_tcp_keepalive_probes", "3",
		"--mca", "pml", "ob1", "--mca", "btl", "self,tcp", "--mca", "btl_tcp_if_include", "10.89.0.0/24",
		os.Args[0])
}

func ip(args ...string) (string, error) {
	out, err := exec.Command("ip", args...).CombinedOutput()
	return string(out), err
}

func must(t *testing.T, args ...string) {
	out, err := ip(args...)
	require.NoError(t, err, "ip %s: %s", strings.Join(args, " "), out)
}

// remove ends the processes in a namespace and deletes it.
func remove(space string) {
	pids, _ := ip("netns", "pids", space)
	for _, pid := range strings.Fields(pids) {
		exec.Command("kill", "-9", pid).Run()
	}
	ip("netns", "delete", space)
}

// TestNamespaces runs every rank on a separate host.
func TestNamespaces(t *testing.T) {
	t.Parallel()
	h := newHosts(t, 4)
	t.Run("check", func(t *testing.T) {
		h.run(t, 4, "where").requirePassed(t, 4)
	})
	for name, why := range map[string]string{
		"abort":     `(?m)^rank 2 of 4: group 1, shear_flow, step 17: no such file$`,
		"kill":      `process rank 2 with PID \d+ on node 10\.89\.0\.3 exited on signal 9`,
		"lost":      `lost communication with a remote daemon(?s:.*)on node 10\.89\.0\.3\n`,
		"unplugged": `lost communication with a remote daemon(?s:.*)on node 10\.89\.0\.3\n`,
	} {
		t.Run(name, func(t *testing.T) {
			o := h.run(t, 4, name)
			o.requireEnded(t, 4, why)
			t.Log(o.took)
		})
	}
}
