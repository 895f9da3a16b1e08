package machine

import (
	"os"
	"strconv"
	"strings"
	"syscall"
)

// system returns the machine's memory and the limits of control groups, of either version.
func system() (out []int64) {
	var info syscall.Sysinfo_t
	if syscall.Sysinfo(&info) == nil {
		out = append(out, int64(uint64(info.Totalram)*uint64(info.Unit)))
	}
	for _, path := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		if n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil { // "max" is no limit
			out = append(out, n)
		}
	}
	return out
}
