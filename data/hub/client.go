package hub

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/gowalrus/gowalrus/internal/bytesize"
)

// DefaultEndpoint is the address of the Hugging Face hub.
const DefaultEndpoint = "https://huggingface.co"

// Client downloads files from the hub. The zero value is ready to use and reads no
// environment variables; see [FromEnvironment]. A Client is safe for concurrent use.
type Client struct {
	// Endpoint is the address of the hub. Empty means DefaultEndpoint.
	Endpoint string
	// Cache is the folder of downloads. Empty means the folder gowalrus in os.UserCacheDir.
	Cache string
	// Token gives access to repositories that are not public. It is sent to Endpoint only,
	// never to the address of a redirect.
	Token string
	// Offline makes the client use only the cache.
	Offline bool
	// HTTP makes the requests. nil means http.DefaultClient. Its Timeout should be 0,
	// because it would end long downloads.
	HTTP *http.Client
	// Parallel is the number of files downloaded at the same time, 0 means 4, and of the
	// requests for blocks of a [Tree], 0 means 8.
	Parallel int
	// BlockCache bounds the size in bytes of the blocks that are kept of the files of all
	// trees. 0 means 8 GiB.
	BlockCache int64
	// Block is the size of a block in bytes. 0 means 1 MiB.
	Block int64
	// Stall is the time without data after which a connection is closed and the request
	// repeated. 0 means 30 seconds.
	Stall time.Duration
	// Tries is the number of consecutive attempts without a new byte after which the client
	// gives up. 0 means 8.
	Tries int
	// Wait is the pause after the first failure. It doubles with each failure, up to two
	// minutes. If the hub asks for a longer pause, the client waits up to ten minutes. 0
	// means one second.
	Wait time.Duration
	// Progress, if not nil, is called as bytes arrive. One call of a client's method never
	// calls it concurrently.
	Progress func(Progress)
	// Log, if not nil, receives the failed attempts that will be repeated.
	Log *slog.Logger
}

// Progress describes the progress of one call of a client's method.
type Progress struct {
	// Path is the file that has grown, Done its bytes in the cache and Size its full size.
	// Done decreases when a download restarts.
	Path       string
	Done, Size int64
	// AllDone and AllSize are the sums over all files of the call.
	AllDone, AllSize int64
}

// blockCacheVariable is the environment variable of Client.BlockCache.
const blockCacheVariable = "GOWALRUS_BLOCK_CACHE"

// FromEnvironment returns a client with the settings in the hub's usual environment
// variables: HF_ENDPOINT, HF_TOKEN and HF_HUB_OFFLINE (1, true, yes or on).
// GOWALRUS_BLOCK_CACHE sets Client.BlockCache to a size such as 50GiB; [Client.Open] returns
// an error if it holds anything else.
func FromEnvironment() *Client {
	offline := strings.ToLower(os.Getenv("HF_HUB_OFFLINE"))
	on, _ := strconv.ParseBool(offline)
	c := &Client{
		Endpoint: os.Getenv("HF_ENDPOINT"),
		Token:    os.Getenv("HF_TOKEN"),
		Offline:  on || offline == "yes" || offline == "on",
	}
	if text := os.Getenv(blockCacheVariable); text != "" {
		var err error
		if c.BlockCache, err = bytesize.Parse(text); err != nil {
			c.BlockCache = -1
		}
	}
	return c
}

// endpoint returns the address without a trailing slash.
func (c *Client) endpoint() (string, error) {
	address := strings.TrimRight(cmp.Or(c.Endpoint, DefaultEndpoint), "/")
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" {
		return "", fmt.Errorf("hub: endpoint: expected an address such as %s, got %q", DefaultEndpoint, c.Endpoint)
	}
	return address, nil
}
