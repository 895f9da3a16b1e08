package hub

import (
	"fmt"
	"os"
	"runtime"
	"testing"
)

// TestMain skips all tests on js/wasm.
func TestMain(m *testing.M) {
	if runtime.GOOS == "js" {
		fmt.Println("skipped: the cache needs file locks, which js/wasm does not have")
		return
	}
	os.Exit(m.Run())
}
