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

// DefaultEndpoint is the address of the hub.
const DefaultEndpoint = "https://huggingface.co"

// Client downloads from the hub. The zero value works, and reads no environment
// variables; see [FromEnvironment]. A client may be used by several goroutines.
type Client struct {
	// Endpoint is the address of the hub; empty stands for DefaultEndpoint.
	Endpoint string
	// Cache is the folder of downloads; empty stands for the folder gowalrus in
	// os.UserCacheDir.
	Cache string
	// Token gives access to what is not public. It is sent to the endpoint only,
	// never to where that redirects.
	Token string
	// Offline uses the cache and asks nobody.
	Offline bool
	// HTTP makes the requests; nil stands for http.DefaultClient. Its Timeout should
	// be 0, because it would end long downloads.
	HTTP *http.Client
	// Parallel is the number of files that are fetched at the same time; 0 stands
	// for 4.
	Parallel int
	// Stall is the time after which a connection that brings nothing is given up
	// and tried again; 0 stands for 30 seconds.
	Stall time.Duration
	// Tries is the number of tries in a row without a new byte before giving up; 0
	// stands for 8.
	Tries int
	// Wait is the pause after the first failure. It doubles with each, up to two
	// minutes; a hub that names a time is given it, up to ten minutes. 0 stands for
	// one second.
	Wait time.Duration
	// Progress, if not nil, is told how far a call of the client has come. It is
	// never called twice at the same time by one call of the client.
	Progress func(Progress)
	// Log, if not nil, is told of tries that failed and will be repeated.
	Log *slog.Logger
}

// Progress says how far a call has come.
type Progress struct {
	// Path is the file that has grown, Done and Size are its bytes here and in all.
	// Done shrinks when a file has to begin again.
	Path       string
	Done, Size int64
	// AllDone and AllSize are those of all files of the call.
	AllDone, AllSize int64
}

// FromEnvironment returns a client with the settings that other programs of the hub
// read from the environment: HF_ENDPOINT, HF_TOKEN and HF_HUB_OFFLINE (1, true, yes
// or on).
func FromEnvironment() *Client {
	offline := strings.ToLower(os.Getenv("HF_HUB_OFFLINE"))
	on, _ := strconv.ParseBool(offline)
	return &Client{
		Endpoint: os.Getenv("HF_ENDPOINT"),
		Token:    os.Getenv("HF_TOKEN"),
		Offline:  on || offline == "yes" || offline == "on",
	}
}

// endpoint returns the address without a slash at the end.
func (c *Client) endpoint() (string, error) {
	address := strings.TrimRight(cmp.Or(c.Endpoint, DefaultEndpoint), "/")
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" {
		return "", fmt.Errorf("hub: endpoint: expected an address such as %s, got %q", DefaultEndpoint, c.Endpoint)
	}
	return address, nil
}
