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
	// Parallel is the number of files downloaded at the same time. 0 means 4.
	Parallel int
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

// FromEnvironment returns a client with the settings in the hub's usual environment
// variables: HF_ENDPOINT, HF_TOKEN and HF_HUB_OFFLINE (1, true, yes or on).
func FromEnvironment() *Client {
	offline := strings.ToLower(os.Getenv("HF_HUB_OFFLINE"))
	on, _ := strconv.ParseBool(offline)
	return &Client{
		Endpoint: os.Getenv("HF_ENDPOINT"),
		Token:    os.Getenv("HF_TOKEN"),
		Offline:  on || offline == "yes" || offline == "on",
	}
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
