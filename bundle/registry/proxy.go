package registry

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpproxy"

	"github.com/islandbundle/island/manifests/fault"
)

// proxies find the proxy for a URL; nil for none.
type proxies func(*url.URL) (*url.URL, error)

// environmentProxies reads the variables that name proxies: HTTPS_PROXY, HTTP_PROXY and
// NO_PROXY as Go has them, and ALL_PROXY where the one for a scheme is missing, as curl has
// it; of two spellings that in lower case counts. One that is no proxy's URL is an error:
// requests would go past the proxy otherwise.
func environmentProxies() (proxies, error) {
	config := httpproxy.FromEnvironment()
	for _, of := range []struct {
		proxy *string
		name  string
	}{{&config.HTTPProxy, "HTTP_PROXY"}, {&config.HTTPSProxy, "HTTPS_PROXY"}} {
		for _, name := range []string{strings.ToLower(of.name), of.name, "all_proxy", "ALL_PROXY"} {
			value := os.Getenv(name)
			if value == "" {
				continue
			}
			if !isProxy(value) {
				return nil, fault.New(fault.Usage, fault.Here, name,
					"write http://host:port, or http://user:password@host:port with %XX for what is no letter or digit in them",
					"is not the URL of a proxy") // which may hold a password
			}
			*of.proxy = value
			break
		}
	}
	return config.ProxyFunc(), nil
}

// isProxy reports whether a value names a proxy, by URL or as host:port.
func isProxy(value string) bool {
	if !strings.Contains(value, "://") {
		value = "http://" + value
	}
	parsed, err := url.Parse(value)
	if err != nil {
		return false
	}
	if _, err := strconv.ParseUint(cmp.Or(parsed.Port(), "0"), 10, 16); err != nil {
		return false
	}
	return parsed.Hostname() != "" && strings.Trim(parsed.Path, "/")+parsed.RawQuery+parsed.Fragment == "" &&
		slices.Contains([]string{"http", "https", "socks5", "socks5h"}, parsed.Scheme)
}

// proxy says through which proxy a request goes, and notes it: the user named it.
func (c *Client) proxy(request *http.Request) (*url.URL, error) {
	proxy, err := c.proxies(request.URL)
	if err != nil {
		return nil, Refuse("proxy of the environment: %w", Bare(err))
	}
	if proxy != nil {
		c.places.proxies.add(addressOf(proxy))
	}
	return proxy, nil
}

// throughProxy tells what a proxy says that will not connect: another try mends no login.
func throughProxy(_ context.Context, proxy *url.URL, asked *http.Request, answer *http.Response) error {
	switch answer.StatusCode {
	case http.StatusProxyAuthRequired:
		return Refuse("proxy %s wants a login: put user and password into the variable that names it", proxy.Host)
	case http.StatusForbidden:
		return Refuse("proxy %s does not let through to %s", proxy.Host, asked.Host)
	}
	return nil
}
