package registry_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/islandbundle/island/bundle/registry"
)

// A session asks for what lies below its repository. What a registry does not
// have is ErrNotFound, and not for want of a host that works.
func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v2/":
		case "/v2/wire/brig/tags/list":
			fmt.Fprint(w, `{"name": "wire/brig", "tags": ["5.30.9"]}`)
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()

	client, err := registry.New(registry.Options{})
	if err != nil {
		panic(err)
	}
	defer client.Close()
	ctx := context.Background()
	brig := registry.Repository{Registry: strings.TrimPrefix(server.URL, "http://"), Name: "wire/brig"}
	session, err := client.Session(ctx, brig, registry.Access{})
	if err != nil {
		panic(err)
	}
	tags, _, err := session.Read(ctx, "/tags/list", nil, 1<<20)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s\n", tags)
	_, _, err = session.Read(ctx, "/manifests/9.9.9", nil, 4<<20)
	fmt.Println(err, errors.Is(err, registry.ErrNotFound), registry.Unavailable(err))
	// Output:
	// {"name": "wire/brig", "tags": ["5.30.9"]}
	// 404 Not Found true false
}
