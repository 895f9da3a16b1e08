package bytesize_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/gowalrus/gowalrus/internal/bytesize"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]int64{"12GiB": 12 << 30, "800MB": 8e8, "1.5 KiB": 1536, "2TB": 2e12} {
		n, err := bytesize.Parse(text)
		assert.NoError(t, err)
		assert.Equal(t, want, n, text)
	}
	for _, text := range []string{"", "12", "GiB", "-1GiB", "0MB", "NaNGB", "1e30TB", "12 gib"} {
		_, err := bytesize.Parse(text)
		assert.ErrorContains(t, err, "expected a size such as 12GiB or 800MB, got", text)
	}
}
